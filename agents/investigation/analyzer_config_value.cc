// config.wrong_value: a value that the service's own messages name, or that a commit set anew before the trouble. A
// change alone is a circumstance: it is named, and never surely.
#include <re2/re2.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "absl/strings/ascii.h"
#include "agents/investigation/analyzer.h"
#include "agents/investigation/probe_config.h"
#include "agents/investigation/probe_processes.h"
#include "agents/investigation/probe_service_logs.h"
#include "agents/investigation/symptoms_of.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr double kNamedAndChanged = 0.9;
constexpr double kMissingAndRemoved = 0.88;
// The message has the key and its very value.
constexpr double kBothNamed = 0.88;
constexpr double kNamed = 0.7;
constexpr double kMissing = 0.6;
constexpr double kChangedOnly = 0.42;
constexpr size_t kMaxLines = 40;
constexpr size_t kLeastName = 4;

struct Said {
  const ServiceLogFacts* log;
  std::string line;
};

bool RefusesValue(const std::string& line);

// Neither a time nor a level: what a program says as it ends.
bool IsBare(const std::string& line) {
  static const RE2 kLogged(
      R"(\d\d:\d\d:\d\d|(?i)\b(error|warn|warning|info|debug|trace|notice|fatal|critical|level|severity)\b)");
  return !RE2::PartialMatch(line, kLogged);
}

std::vector<Said> Failures(const Scene& scene, const v1::Service& service) {
  std::vector<Said> said;
  std::set<std::string> seen;
  for (const ServiceLogFacts* log : LogsOf(scene, service)) {
    for (auto line = log->lines.rbegin(); line != log->lines.rend() && said.size() < kMaxLines; ++line) {
      if ((TellsOfFailure(*line) || (IsBare(*line) && RefusesValue(*line))) && seen.insert(*line).second)
        said.push_back({log, *line});
    }
  }
  return said;
}

bool IsWordChar(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// Whether `word` stands in the line by itself. `dotted`: also as a part of a name with dots ("Redis" in
// "StackExchange.Redis.Connection").
bool Names(const std::string& line, const std::string& word, bool dotted = true) {
  for (size_t at = line.find(word); at != std::string::npos; at = line.find(word, at + 1)) {
    const size_t end = at + word.size();
    const bool in_word = (at > 0 && IsWordChar(line[at - 1])) || (end < line.size() && IsWordChar(line[end]));
    const bool in_dots = (at > 1 && line[at - 1] == '.' && IsWordChar(line[at - 2])) ||
                         (end + 1 < line.size() && line[end] == '.' && IsWordChar(line[end + 1]));
    if (!in_word && (dotted || !in_dots)) return true;
  }
  return false;
}

// Messages that refuse a value, in common languages and libraries.
bool RefusesValue(const std::string& line) {
  static const RE2 kRefuses(
      R"((?i)(invalid literal|could not convert|ValueError|TypeError|NumberFormatException|invalid (value|option|argument|choice|syntax|port|url|level|type|format|duration|number)|not a valid|is not (valid|allowed|supported|a number|an integer)|unknown|unsupported|unrecognized|must be|out of range|expected|cannot parse|could not parse|failed to parse|parsing|No such file|FileNotFound|ENOENT|not found|ModuleNotFound|Permission denied|does not exist|EADDRINUSE|Address already in use|bad value|misconfig|config))");
  return RE2::PartialMatch(line, kRefuses);
}

// Names that any line may hold.
bool IsCommonWord(const std::string& name) {
  static const std::set<std::string> kCommon = {
      "host",  "port",    "name",    "user",     "type",    "path",   "level",      "mode",    "file",
      "data",  "service", "url",     "env",      "debug",   "error",  "server",     "address", "version",
      "value", "timeout", "enabled", "database", "message", "status", "connection", "code"};
  return kCommon.contains(absl::AsciiStrToLower(name));
}

bool NamesKey(const std::string& line, const std::string& key) {
  const std::string last(LastOf(key));
  if (key != last && Names(line, key)) return true;
  if (last.size() < kLeastName) return false;
  for (const char quote : {'\'', '"', '`'}) {
    if (line.find(quote + last + quote) != std::string::npos) return true;
  }
  return !IsCommonWord(last) && Names(line, last, /*dotted=*/false);
}

bool NamesValue(const std::string& line, const std::string& value) {
  static const std::set<std::string> kCommon = {"true",      "false", "null",  "none",  "localhost",
                                                "127.0.0.1", "info",  "debug", "error", "warn"};
  if (value.size() < 2 || kCommon.contains(absl::AsciiStrToLower(value))) return false;
  for (const char quote : {'\'', '"', '`'}) {
    if (line.find(quote + value + quote) != std::string::npos) return true;
  }
  return value.size() >= kLeastName && Names(line, value);
}

// The key beside the value: a path may hold the key's name by itself.
bool NamesBoth(const std::string& line, const ConfigValue& value) {
  if (value.value.empty() || !Names(line, value.value)) return false;
  std::string rest = line;
  for (size_t at = rest.find(value.value); at != std::string::npos; at = rest.find(value.value, at))
    rest.erase(at, value.value.size());
  return NamesKey(rest, value.key);
}

// The whole key and its very value, in whatever language the rest is.
bool NamesExactly(const std::string& line, const ConfigValue& value) {
  return value.key.find('.') != std::string::npos && Names(line, value.key) && NamesBoth(line, value);
}

// A place that is there and may not be written to, or is full, is named rightly.
bool IsRightPlace(const ConfigValue& value, const std::string& line) {
  static const RE2 kPlace(R"((?i)(permission denied|EACCES|no space left|ENOSPC|read-only file system|EROFS|quota))");
  std::error_code error;
  return value.value.starts_with('/') && RE2::PartialMatch(line, kPlace) && std::filesystem::exists(value.value, error);
}

class ValueJudge {
 public:
  ValueJudge(Scene* scene, const v1::Service& service, std::vector<Candidate>* candidates)
      : scene_(*scene), service_(service), candidates_(*candidates), said_(Failures(*scene, service)) {
    symptoms_ = SymptomsBehind(*scene, service);
    const ProcessFacts* process = ProcessOf(*scene, service);
    fails_itself_ =
        process != nullptr && (!process->listens || process->processes.empty() || process->restarts_seen > 0);
    for (const v1::Symptom& symptom : scene->symptoms) fails_itself_ |= symptom.component() == service.name();
  }

  void Judge() {
    if (symptoms_.empty()) return;
    for (const ConfigFacts* file : ConfigsOf(scene_, service_)) {
      bool named = false;
      for (const ConfigValue& value : file->config.values) named |= JudgeValue(*file, value);
      named |= JudgeMissing(*file);
      if (!named && fails_itself_) JudgeChanges(*file);
    }
  }

 private:
  // Lines that tell of no failure have it as well: every line may ("Application": "Shop"). `both`: with its key.
  bool IsSaidAnyway(const ConfigValue& value, bool both) const {
    constexpr size_t kLookedAt = 200;
    for (const ServiceLogFacts* log : LogsOf(scene_, service_)) {
      size_t looked_at = 0;
      for (auto line = log->lines.rbegin(); line != log->lines.rend() && looked_at < kLookedAt; ++line, ++looked_at) {
        if (TellsOfFailure(*line) || IsBare(*line) || !NamesValue(*line, value.value)) continue;
        if (!both || NamesBoth(*line, value)) return true;
      }
    }
    return false;
  }

  bool IsRecent(const ValueChange& change) const { return change.change != nullptr && scene_.IsRecent(*change.change); }

  static std::string Show(const ConfigValue& value) {
    return IsSecret(value) ? "(a secret)" : "\"" + value.value + "\"";
  }

  bool JudgeValue(const ConfigFacts& file, const ConfigValue& value) {
    const Said* by_value = nullptr;
    const Said* by_key = nullptr;
    for (const Said& said : said_) {
      const bool refuses =
          (RefusesValue(said.line) || NamesExactly(said.line, value)) && !IsRightPlace(value, said.line);
      if (by_value == nullptr && refuses && NamesValue(said.line, value.value) &&
          !IsSaidAnyway(value, NamesBoth(said.line, value)))
        by_value = &said;
      if (by_key == nullptr && refuses && NamesKey(said.line, value.key)) by_key = &said;
    }
    const Said* said = by_value != nullptr ? by_value : by_key;
    if (said == nullptr) return false;
    const ValueChange change = ChangeOf(scene_, file, value);
    const bool changed = IsRecent(change);
    // Its key alone, unchanged: any message about the thing names it.
    if (!changed && by_value == nullptr) return false;
    v1::Hypothesis h = Make(file, value.location);
    h.set_title(fmt::format("{}:{}: {} is {}, which {} cannot use", value.location.file(), value.location.line(),
                            value.key, Show(value), service_.name()));
    h.set_explanation(fmt::format(
        "{} says \"{}\". {} is {}{}.", service_.name(), said->line.substr(0, kShownLine), value.key, Show(value),
        change.change == nullptr ? ""
        : change.before.empty()  ? fmt::format(" since {}", change.change->Title())
                                 : fmt::format(" since {}; it was {} before", change.change->Title(),
                                              IsSecret(value) ? "another" : change.before)));
    h.add_evidence_for(AddLogEvidence(&scene_, *said->log, said->line));
    AddRemedies(file, value, change, &h);
    // A failure may name a value that is right ("timed out after client.timeout=5000"), unless it refuses it.
    const bool refused = RefusesValue(said->line);
    const bool both = refused && NamesBoth(said->line, value);
    h.set_confidence(changed ? kNamedAndChanged : both ? kBothNamed : kNamed);
    Finish(std::move(h), changed || (refused && by_value != nullptr));
    return true;
  }

  // "KeyError: 'X'", "X is not set": a key that the files don't have (any more).
  bool JudgeMissing(const ConfigFacts& file) {
    static const RE2 kMissingKey(
        R"re((?:KeyError: ['"]([\w.\-]+)['"]|(?:environment variable|env var|setting|key|config(?:uration)?(?: value)?|option|variable|property)[: ]+['"`]?([A-Za-z][\w.\-]+)['"`]? (?:is |was )?(?:not (?:set|found|defined)|missing|required|undefined|unset)|['"`]?([A-Z][A-Z0-9_]{3,})['"`]? (?:is |must be |environment variable )*(?:not set|required|missing|set|undefined|not defined)|[Mm]issing (?:required )?(?:\w+ )*['"`:]+ ?([A-Za-z][\w.\-]+)|key not found: :?"?([\w.\-]+)))re");
    for (const Said& said : said_) {
      std::string names[5];
      if (!RE2::PartialMatch(said.line, kMissingKey, &names[0], &names[1], &names[2], &names[3], &names[4])) continue;
      std::string name;
      for (const std::string& one : names) name = name.empty() ? one : name;
      const bool has = std::any_of(file.config.values.begin(), file.config.values.end(),
                                   [&](const ConfigValue& v) { return v.key == name || LastOf(v.key) == name; });
      if (has) continue;
      const Change* removed = RemovedBy(file, name);
      v1::Location location;
      location.set_file(file.file->path());
      if (removed != nullptr && !removed->hunks.empty()) location.set_line(removed->hunks[0].line);
      v1::Hypothesis h = Make(file, location);
      h.set_title(fmt::format("{} lacks {}, which {} needs", file.file->path(), name, service_.name()));
      h.set_explanation(
          fmt::format("{} says \"{}\".{}", service_.name(), said.line.substr(0, kShownLine),
                      removed == nullptr ? "" : fmt::format(" {} took it out of the file.", removed->Title())));
      h.add_evidence_for(AddLogEvidence(&scene_, *said.log, said.line));
      AddRemedies(file, {}, {removed, ""}, &h);
      h.set_confidence(removed != nullptr ? kMissingAndRemoved : kMissing);
      Finish(std::move(h), removed != nullptr);
      return true;
    }
    return false;
  }

  const Change* RemovedBy(const ConfigFacts& file, const std::string& name) const {
    for (const Change* change : scene_.ChangesOf(file.file->path())) {
      for (const GitHunk& hunk : change->hunks) {
        const auto names = [&](const std::string& line) { return Names(line, name); };
        if (std::any_of(hunk.removed.begin(), hunk.removed.end(), names)) return change;
      }
    }
    return nullptr;
  }

  void JudgeChanges(const ConfigFacts& file) {
    for (const ConfigValue& value : file.config.values) {
      const ValueChange change = ChangeOf(scene_, file, value);
      if (!IsRecent(change) || change.before.empty()) continue;
      v1::Hypothesis h = Make(file, value.location);
      h.set_title(fmt::format("{}:{}: {} was changed to {} before the trouble", value.location.file(),
                              value.location.line(), value.key, Show(value)));
      h.set_explanation(fmt::format("{} set {} to {}{}. No message of {} names it: the time alone speaks for it.",
                                    change.change->Title(), value.key, Show(value),
                                    IsSecret(value) ? "" : "; it was " + change.before, service_.name()));
      AddRemedies(file, value, change, &h);
      h.set_confidence(kChangedOnly);
      Finish(std::move(h), false);
      return;
    }
  }

  v1::Hypothesis Make(const ConfigFacts& file, const v1::Location& location) const {
    v1::Hypothesis h;
    h.set_kind("config.wrong_value");
    h.set_component(service_.name());
    *h.mutable_location() = location;
    h.add_evidence_for(file.evidence);
    for (const std::string& id : symptoms_) h.add_symptom_ids(id);
    return h;
  }

  static void AddRemedies(const ConfigFacts& file, const ConfigValue& value, const ValueChange& change,
                          v1::Hypothesis* h) {
    if (change.change == nullptr) return;
    h->add_evidence_for(change.change->evidence);
    if (v1::Action action = SetValue(file, value, change.before); !action.kind().empty())
      *h->add_remedies() = MakeRemedy("former-value", fmt::format("Put back the former value of {}", value.key),
                                      "configuration", {action});
    const bool editable = !file.file->has_editable() || file.file->editable();
    if (editable && change.change->IsRevertible())
      *h->add_remedies() = MakeRemedy("revert", fmt::format("Take back {}", change.change->Title()), "configuration",
                                      {GitRevert(file.service->name(), *change.change)});
  }

  void Finish(v1::Hypothesis h, bool supported) {
    h.set_status(supported ? v1::HYPOTHESIS_STATUS_SUPPORTED : v1::HYPOTHESIS_STATUS_PROPOSED);
    // The same place may be named by several lines; what names it more exactly came first.
    const bool known = std::any_of(candidates_.begin(), candidates_.end(), [&](const Candidate& c) {
      return c.hypothesis.component() == h.component() && c.hypothesis.location().file() == h.location().file() &&
             c.hypothesis.location().line() == h.location().line();
    });
    if (!known) candidates_.push_back({std::move(h), {}});
  }

  static constexpr size_t kShownLine = 200;
  Scene& scene_;
  const v1::Service& service_;
  std::vector<Candidate>& candidates_;
  std::vector<Said> said_;
  std::vector<std::string> symptoms_;
  bool fails_itself_ = false;
};

}  // namespace

void AnalyzeConfigValue(Scene* scene, std::vector<Candidate>* candidates) {
  for (const v1::Service& service : scene->input.system.services()) ValueJudge(scene, service, candidates).Judge();
}

}  // namespace omnix
