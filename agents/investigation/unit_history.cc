#include "agents/investigation/unit_history.h"

#include <re2/re2.h>

#include <optional>

#include "fmt/format.h"

namespace omnix {
namespace {

// A process that is sent a signal, or is taken by the OOM killer, need not be the unit's end: within so long it was.
constexpr absl::Duration kUntilEnd = absl::Seconds(90);

class Reader {
 public:
  void Add(const JournalEntry& entry) {
    const std::string& text = entry.message;
    // "Stopped shop.service - The shop." of a unit that is about to be restarted follows the word of that.
    if (text.starts_with("Starting ") || text.starts_with("Started ")) {
      if (open_) open_->restarted = restarting_;
      Close();
    } else if (text.starts_with("Stopping ")) {
      Close();
      Open(entry.time).asked = true;
    } else if (text.starts_with("Stopped ")) {
      AddStopped(entry.time);
    } else {
      AddEnd(entry);
    }
  }

  UnitHistory Finish() {
    history_.down = open_.has_value();
    Close();
    return std::move(history_);
  }

 private:
  UnitEnd& Open(absl::Time time) {
    if (!open_) {
      open_.emplace();
      open_->time = time;
      open_->signalled = time - signal_ < kUntilEnd;
      open_->oom = time - oom_kill_ < kUntilEnd;
    }
    return *open_;
  }
  void Close() {
    if (open_) history_.ends.push_back(*std::move(open_));
    open_.reset();
    restarting_ = false;
    signal_ = oom_kill_ = absl::InfinitePast();
  }

  void AddStopped(absl::Time time) {
    if (restarting_ || (open_ && open_->asked)) return;
    // While it waited for its next start: that one's end was another.
    Close();
    Open(time).asked = true;
  }

  // "shop.service: Main process exited, code=exited, status=1/FAILURE"
  void AddEnd(const JournalEntry& entry) {
    static const RE2 kExit(R"(: (?:Main|Control) process exited, code=(\w+), status=(\S+))");
    static const RE2 kResult(R"(: Failed with result '([\w-]+)')");
    static const RE2 kRestart(R"(: Scheduled restart job, restart counter is at \d+)");
    static const RE2 kGaveUp(R"(: Start request repeated too quickly)");
    static const RE2 kOom(R"(: (?:A process of this unit has been killed by the OOM killer|.*systemd-oomd killed))");
    static const RE2 kSignalled(R"(: Sent signal \S+ to .* on client request)");
    static const RE2 kWell(R"(: (?:Deactivated successfully|Succeeded)\.)");
    const std::string& text = entry.message;
    std::string result;
    if (std::string code, status; RE2::PartialMatch(text, kExit, &code, &status)) {
      UnitEnd& end = Open(entry.time);
      end.code = code;
      end.status = status;
    } else if (RE2::PartialMatch(text, kResult, &result)) {
      UnitEnd& end = Open(entry.time);
      // After it gave up the first result is said once more.
      if (end.result.empty()) end.result = result;
      end.oom |= result == "oom-kill";
      end.gave_up |= result == "start-limit-hit";
    } else if (RE2::PartialMatch(text, kRestart)) {
      restarting_ = true;
    } else if (RE2::PartialMatch(text, kGaveUp)) {
      Open(entry.time).gave_up = true;
    } else if (RE2::PartialMatch(text, kOom)) {
      history_.oom_kills.push_back(entry.time);
      oom_kill_ = entry.time;
      if (open_) open_->oom = true;
    } else if (RE2::PartialMatch(text, kSignalled)) {
      signal_ = entry.time;
    } else if (RE2::PartialMatch(text, kWell)) {
      if (UnitEnd& end = Open(entry.time); end.result.empty()) end.result = "success";
    }
  }

  UnitHistory history_;
  std::optional<UnitEnd> open_;
  // systemd has said that it will start it again.
  bool restarting_ = false;
  // When somebody had a signal sent and the OOM killer took a process, since the last start.
  absl::Time signal_ = absl::InfinitePast();
  absl::Time oom_kill_ = absl::InfinitePast();
};

}  // namespace

bool UnitEnd::IsCrash() const {
  if (asked || signalled) return false;
  return oom || gave_up || (result.empty() ? !code.empty() : result != "success");
}

std::string UnitEnd::Describe() const {
  if (asked) return "was stopped on request";
  if (oom) return "was killed by the OOM killer";
  if (result == "watchdog") return "did not answer systemd's watchdog in time";
  if (result == "timeout") return "did not start or stop in time";
  const char* by = signalled ? ", sent by systemctl kill" : "";
  if (code == "killed") return fmt::format("was killed by signal {}{}", status, by);
  if (code == "dumped") return fmt::format("was killed by signal {} and dumped core{}", status, by);
  if (code == "exited") return fmt::format("exited with status {}", status);
  if (result == "success") return "ended by itself";
  return result.empty() ? "ended" : fmt::format("failed with result '{}'", result);
}

UnitHistory ReadUnitHistory(const std::vector<JournalEntry>& entries) {
  Reader reader;
  for (const JournalEntry& entry : entries) {
    if (entry.by_systemd) reader.Add(entry);
  }
  return reader.Finish();
}

}  // namespace omnix
