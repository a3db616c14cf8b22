#include "orchestrator/engine/grouping_rules.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "common/json.h"
#include "common/status.h"
#include "common/time.h"
#include "orchestrator/playbook/jq.h"

namespace omnix {
namespace {

constexpr absl::Duration kDefaultOccurrencesWithin = absl::Minutes(10);

FlapLimits LimitsOf(const v1::Flapping& spec, FlapLimits limits) {
  if (spec.changes() > 0) limits.changes = spec.changes();
  limits.within = OrDefault(spec.within(), limits.within);
  limits.quiet = OrDefault(spec.quiet(), limits.quiet);
  limits.off |= spec.off();
  return limits;
}

GroupingRule RuleOf(const v1::GroupingRule& spec, const FlapLimits& flapping) {
  GroupingRule rule;
  rule.name = spec.name();
  rule.match = spec.match();
  if (spec.by() != v1::GROUP_BY_UNSPECIFIED) rule.by = spec.by();
  rule.labels.assign(spec.labels().begin(), spec.labels().end());
  rule.window = OrDefault(spec.window(), rule.window);
  if (spec.has_occurrences()) {
    rule.occurrences = spec.occurrences();
    *rule.occurrences->mutable_within() = ToProto(OrDefault(spec.occurrences().within(), kDefaultOccurrencesWithin));
  }
  if (spec.late() != v1::LATE_ALERTS_UNSPECIFIED) rule.late = spec.late();
  rule.late_within = OrDefault(spec.late_within(), rule.late_within);
  rule.flapping = LimitsOf(spec.flapping(), flapping);
  return rule;
}

bool FitsOne(const google::protobuf::RepeatedPtrField<std::string>& patterns, const std::string& text) {
  return patterns.empty() || std::ranges::any_of(patterns, [&](const auto& p) { return FitsPattern(p, text); });
}

const std::string& LabelOf(const v1::Alert& alert, const std::string& name) {
  static const std::string kNone;
  const auto found = alert.labels().find(name);
  return found == alert.labels().end() ? kNone : found->second;
}

bool Holds(const GroupingRule& rule, const v1::Alert& alert) {
  if (rule.match.when().empty()) return true;
  const auto program = CachedJqProgram(rule.match.when());
  const auto holds = program.ok() ? (*program)->Test(MessageToJsonValue(alert)) : program.status();
  if (!holds.ok()) {
    spdlog::warn("grouping rule {}: its condition can't be evaluated: {}", rule.name, Message(holds.status()));
  }
  return holds.ok() && *holds;
}

}  // namespace

bool FitsPattern(const std::string& pattern, const std::string& text) {
  size_t p = 0;
  size_t t = 0;
  // Where the last * is, and from where on it may still take more.
  size_t star = std::string::npos;
  size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool FitsWithoutJq(const v1::AlertMatch& match, const v1::Alert& alert) {
  if (!match.severities().empty() &&
      std::find(match.severities().begin(), match.severities().end(), alert.severity()) == match.severities().end()) {
    return false;
  }
  if (!FitsOne(match.sources(), alert.source()) || !FitsOne(match.subjects(), alert.subject())) return false;
  return std::ranges::all_of(match.labels(),
                             [&](const auto& label) { return FitsPattern(label.second, LabelOf(alert, label.first)); });
}

std::string GroupingRule::KeyOf(const v1::Alert& alert) const {
  if (by == v1::GROUP_BY_SUBJECT) return "subject=" + alert.subject();
  if (by == v1::GROUP_BY_NONE) return "fingerprint=" + alert.fingerprint();
  std::string key;
  if (by != v1::GROUP_BY_LABELS) return key;
  for (const auto& label : labels) {
    if (!key.empty()) key += ' ';
    key += label + "=" + LabelOf(alert, label);
  }
  return key;
}

std::string GroupingRule::CountedTogether(const v1::Alert& alert) const {
  return by == v1::GROUP_BY_DEPENDENCIES ? "subject=" + alert.subject() : KeyOf(alert);
}

GroupingRules::GroupingRules(const v1::Grouping& grouping) {
  const FlapLimits flapping = LimitsOf(grouping.flapping(), {});
  for (const auto& spec : grouping.rules()) {
    rules_.push_back(std::make_unique<GroupingRule>(RuleOf(spec, flapping)));
  }
  rules_.push_back(std::make_unique<GroupingRule>(RuleOf({}, flapping)));
}

const GroupingRule& GroupingRules::For(const v1::Alert& alert) const {
  for (const auto& rule : rules_) {
    if (FitsWithoutJq(rule->match, alert) && Holds(*rule, alert)) return *rule;
  }
  return *rules_.back();
}

}  // namespace omnix
