#include "orchestrator/playbook/grouping.h"

#include <set>

#include "common/file.h"
#include "common/status.h"
#include "common/time.h"
#include "orchestrator/playbook/checks.h"

namespace omnix {
namespace {

constexpr int kMaxRules = 1000;

constexpr uint32_t kMinOccurrences = 2;
constexpr uint32_t kMaxOccurrences = 100;
constexpr uint32_t kMaxFlaps = 100;
constexpr absl::Duration kShortest = absl::Seconds(1);
constexpr absl::Duration kLongest = absl::Hours(24);

void CheckLength(bool given, const google::protobuf::Duration& duration, const std::string& path, YamlReport* report) {
  if (given && (FromProto(duration) < kShortest || FromProto(duration) > kLongest)) {
    report->Add(path, "must be 1s to 24h");
  }
}

void CheckFlapping(const v1::Flapping& flapping, const std::string& path, YamlReport* report) {
  if (flapping.changes() > kMaxFlaps) report->Add(path + ".changes", fmt::format("at most {}", kMaxFlaps));
  CheckLength(flapping.has_within(), flapping.within(), path + ".within", report);
  CheckLength(flapping.has_quiet(), flapping.quiet(), path + ".quiet", report);
}

bool FitsEverything(const v1::AlertMatch& match) {
  return match.labels().empty() && match.severities().empty() && match.sources().empty() && match.subjects().empty() &&
         match.when().empty();
}

void CheckRule(const v1::GroupingRule& rule, const std::string& path, YamlReport* report) {
  CheckJq(rule.match().when(), path + ".match.when", report);
  const bool by_labels = rule.by() == v1::GROUP_BY_LABELS;
  if (by_labels && rule.labels().empty()) {
    report->Add(path + ".by", "which labels must be equal? Add `labels: [NAME, ...]`");
  }
  if (!by_labels && !rule.labels().empty()) {
    report->Add(path + ".labels", "they count only for `by: labels`; to choose alerts by labels use `match: {labels}`");
  }
  if (rule.has_window() && FromProto(rule.window()) <= absl::ZeroDuration()) {
    report->Add(path + ".window", "must be longer than nothing; for an incident of each alert use `by: none`");
  }
  const v1::Occurrences& wanted = rule.occurrences();
  if (rule.has_occurrences() && (wanted.count() < kMinOccurrences || wanted.count() > kMaxOccurrences)) {
    report->Add(path + ".occurrences.count",
                fmt::format("must be {} to {}; for one leave `occurrences` out", kMinOccurrences, kMaxOccurrences));
  }
  CheckLength(wanted.has_within(), wanted.within(), path + ".occurrences.within", report);
  if (rule.has_late_within() && rule.late() != v1::LATE_ALERTS_REOPEN) {
    report->Add(path + ".late_within", "it counts only for `late: reopen`");
  }
  if (rule.has_late_within() && FromProto(rule.late_within()) <= absl::ZeroDuration()) {
    report->Add(path + ".late_within", "must be longer than nothing; without reopening use `late: link`");
  }
  CheckFlapping(rule.flapping(), path + ".flapping", report);
}

}  // namespace

absl::StatusOr<v1::Grouping> LoadGrouping(const std::string& path) {
  OMNIX_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxYamlBytes));
  v1::Grouping grouping;
  YamlReport report(path);
  ParseYaml(text, &grouping, &report);
  if (grouping.rules_size() > kMaxRules) {
    report.Add("rules", fmt::format("{} rules; at most {} are allowed", grouping.rules_size(), kMaxRules));
  }
  CheckFlapping(grouping.flapping(), "flapping", &report);
  std::set<std::string> names;
  for (int i = 0; i < grouping.rules_size(); ++i) {
    const v1::GroupingRule& rule = grouping.rules(i);
    const std::string at = fmt::format("rules[{}]", i);
    if (rule.name().empty()) {
      report.Add(at + ".name", "a name is required");
    } else if (!names.insert(rule.name()).second) {
      report.Add(at + ".name", "this name is taken already");
    }
    CheckRule(rule, at, &report);
    if (FitsEverything(rule.match()) && i + 1 < grouping.rules_size()) {
      report.Add(at, "every alert fits this rule; the rules after it are never reached");
    }
  }
  OMNIX_RETURN_IF_ERROR(report.status());
  return grouping;
}

}  // namespace omnix
