#include "agents/investigation/probe_units.h"

#include <re2/re2.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "absl/strings/str_split.h"
#include "agents/investigation/logs/compare.h"
#include "agents/investigation/probe_log_changes.h"
#include "agents/investigation/probe_service_logs.h"
#include "common/status.h"
#include "common/time.h"
#include "common/unit_name.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr absl::Duration kCallTimeout = absl::Seconds(4);
// Before the window: what is usual.
constexpr absl::Duration kNormalTime = absl::Hours(24);
// About half a second of journalctl.
constexpr size_t kMaxEntries = 10000;
constexpr size_t kMaxSystemdEntries = 2000;
constexpr size_t kMaxParallelUnits = 4;
constexpr char kErrorMark[] = "[error] ";

// The lines of an entry, without colours; marked where only the entry's priority tells of a failure.
std::vector<std::string> LinesOf(const JournalEntry& entry) {
  static const RE2 kColour(R"(\x1b\[[0-9;]*[A-Za-z])");
  std::string text = entry.message;
  RE2::GlobalReplace(&text, kColour, "");
  std::vector<std::string> lines;
  for (const absl::string_view part : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    std::string& line = lines.emplace_back(part.substr(0, kMaxRecentLineBytes));
    if (line.ends_with('\r')) line.pop_back();
  }
  const bool mark = !entry.by_systemd && entry.priority <= kJournalError && !lines.empty() &&
                    std::none_of(lines.begin(), lines.end(), TellsOfFailure);
  if (mark) lines[0].insert(0, kErrorMark);
  return lines;
}

class UnitReader {
 public:
  UnitReader(Scene* scene, const v1::Service& service, absl::Time deadline)
      : scene_(*scene), service_(service), deadline_(deadline), begin_(LogWindowBegin(scene->input)) {
    facts_.service = &service;
    facts_.unit = FullUnitName(service.unit());
  }

  void Run() {
    if (facts_.unit.empty()) return Tell("\"" + service_.unit() + "\" is no name of a unit");
    if (directory().empty() && !RunsSystemd())
      return Tell(facts_.unit + ": not looked at, this machine does not run systemd (see journal_directory)");
    if (directory().empty()) AskSystemd();
    if (const absl::Status status = ReadJournal(); !status.ok())
      Tell(fmt::format("journal of unit {}: not read: {}", facts_.unit, Message(status)));
    Conclude();
  }

 private:
  const std::string& directory() const { return scene_.input.system.journal_directory(); }
  LogSource source() const { return {"", facts_.unit}; }
  absl::Duration TimeLeft() const { return std::min(kCallTimeout, deadline_ - absl::Now()); }
  void Tell(const std::string& text) { scene_.book.Add(MakeEvidence("systemd", service_.name(), text)); }

  void AskSystemd() {
    auto state = ReadUnitState(facts_.unit, TimeLeft());
    if (state.ok()) {
      facts_.state = *std::move(state);
    } else {
      Tell(fmt::format("state of unit {}: not known: {}", facts_.unit, Message(state.status())));
    }
  }

  absl::StatusOr<UnitJournal> Read(absl::Time since, absl::Time until, size_t max_entries, bool by_systemd_only) {
    if (scene_.input.cancelled() || TimeLeft() <= absl::ZeroDuration()) return DeadlineExceeded("the time is up");
    JournalQuery query;
    query.unit = facts_.unit;
    query.directory = directory();
    query.since = since;
    query.until = until;
    query.max_entries = max_entries;
    query.by_systemd_only = by_systemd_only;
    query.timeout = TimeLeft();
    return ReadUnitJournal(query);
  }

  absl::Status ReadJournal() {
    const absl::Time now = scene_.input.now, long_ago = begin_ - kNormalTime;
    // journalctl takes whole seconds; what is written in this one is of now.
    const absl::Time end = now + absl::Seconds(1);
    OMNIX_ASSIGN_OR_RETURN(const UnitJournal systemd, Read(long_ago, end, kMaxSystemdEntries, true));
    facts_.history = ReadUnitHistory(systemd.entries);
    OMNIX_ASSIGN_OR_RETURN(const UnitJournal window, Read(begin_, end, kMaxEntries, false));
    OMNIX_ASSIGN_OR_RETURN(const UnitJournal normal, Read(long_ago, begin_, kMaxEntries, false));
    if (systemd.entries.empty() && window.entries.empty() && normal.entries.empty())
      return NotFound("it has no entries since {}", omnix::FormatTime(long_ago));
    AddLines(window);
    // A unit that writes more than is read: only the newest part of the window can be compared.
    const absl::Time begin =
        window.truncated && !window.entries.empty() ? std::max(begin_, window.entries[0].time) : begin_;
    Compare({&normal, &window}, begin);
    CompareSystemd(systemd);
    return absl::OkStatus();
  }

  void AddLines(const UnitJournal& window) {
    ServiceLogFacts facts{&service_, nullptr, source(), {}, std::nullopt};
    for (const JournalEntry& entry : window.entries) {
      if (entry.by_systemd) continue;
      for (std::string& line : LinesOf(entry)) facts.lines.push_back(std::move(line));
    }
    KeepRecentLines(&facts.lines);
    scene_.facts.Add(std::move(facts));
  }

  LogCompareOptions CompareOptions(absl::Time begin) const {
    LogCompareOptions options;
    options.begin = begin;
    options.end = scene_.input.now;
    options.max_changes = kMaxLogChanges;
    options.all_without_normal = true;
    return options;
  }

  void Compare(const std::vector<const UnitJournal*>& journals, absl::Time begin) {
    LogComparer comparer(CompareOptions(begin));
    for (const UnitJournal* journal : journals) {
      for (const JournalEntry& entry : journal->entries) {
        if (entry.by_systemd) continue;
        for (const std::string& line : LinesOf(entry)) comparer.AddLine(line, entry.time);
      }
    }
    AddLogChanges(&scene_, service_, source(), comparer.Finish(), LogContent::kMessages);
  }

  // Apart from the unit's own lines: a trace among those ends with none of systemd's.
  void CompareSystemd(const UnitJournal& journal) {
    LogComparer comparer(CompareOptions(begin_));
    for (const JournalEntry& entry : journal.entries) {
      for (const std::string& line : LinesOf(entry)) comparer.AddLine(line, entry.time);
    }
    AddLogChanges(&scene_, service_, source(), comparer.Finish(), LogContent::kMessages);
  }

  // What systemd says now goes before what the journal leads to expect.
  void Conclude() {
    UnitHistory& history = facts_.history;
    if (facts_.state) {
      if (facts_.state->IsUp()) history.down = false;
      if (!facts_.state->IsUp() && !history.down && facts_.state->last_end) {
        history.ends.push_back(*facts_.state->last_end);
        history.down = true;
      }
    }
    if (!facts_.state && history.ends.empty()) return;
    facts_.evidence =
        scene_.book.Add(MakeEvidence("systemd", service_.name(), Describe(), "", {}, {{"unit", facts_.unit}}));
    scene_.facts.Add(std::move(facts_));
  }

  std::string Describe() const {
    std::string text = "unit " + facts_.unit;
    if (facts_.state) text += fmt::format(" is {} ({})", facts_.state->active, facts_.state->sub);
    if (!facts_.state && !facts_.history.down) text += " is up, by its journal";
    if (const UnitEnd* end = facts_.StandingEnd()) text += fmt::format(": it {}", DescribeWithTime(*end));
    if (const auto ends = facts_.UnwantedEndsSince(begin_); ends.size() > 1)
      text += fmt::format("; {} ends since {}", ends.size(), omnix::FormatTime(ends[0]->time));
    if (facts_.state && facts_.state->restarts > 0)
      text += fmt::format("; systemd restarted it {} times", facts_.state->restarts);
    return text;
  }

  Scene& scene_;
  const v1::Service& service_;
  const absl::Time deadline_;
  const absl::Time begin_;
  UnitFacts facts_;
};

}  // namespace

const UnitEnd* UnitFacts::StandingEnd() const {
  return history.down && !history.ends.empty() ? &history.ends.back() : nullptr;
}

std::vector<const UnitEnd*> UnitFacts::UnwantedEndsSince(absl::Time begin) const {
  std::vector<const UnitEnd*> ends;
  for (const UnitEnd& end : history.ends) {
    if (end.time >= begin && !end.asked && !end.signalled && (end.IsCrash() || end.restarted)) ends.push_back(&end);
  }
  return ends;
}

std::string DescribeWithTime(const UnitEnd& end) {
  return fmt::format("{} at {}{}", end.Describe(), omnix::FormatTime(end.time),
                     end.gave_up ? "; started too often, systemd has given up" : "");
}

void ProbeUnits(Scene* scene) {
  std::vector<const v1::Service*> services;
  for (const v1::Service& service : scene->input.system.services()) {
    if (!service.unit().empty()) services.push_back(&service);
  }
  const absl::Time deadline = absl::Now() + std::min(kUnitsTime, scene->input.remaining());
  std::atomic<size_t> next = 0;
  std::vector<std::thread> threads;
  for (size_t i = 0; i < std::min(kMaxParallelUnits, services.size()); ++i) {
    threads.emplace_back([&] {
      for (size_t taken = next++; taken < services.size(); taken = next++)
        UnitReader(scene, *services[taken], deadline).Run();
    });
  }
  for (std::thread& thread : threads) thread.join();
}

const UnitFacts* UnitOf(const Scene& scene, const v1::Service& service) {
  for (const UnitFacts* facts : scene.facts.All<UnitFacts>()) {
    if (facts->service == &service) return facts;
  }
  return nullptr;
}

}  // namespace omnix
