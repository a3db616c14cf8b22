#include "common/file.h"
#include "common/status.h"
#include "orchestrator/playbook/checks.h"
#include "orchestrator/playbook/jq.h"
#include "orchestrator/playbook/library.h"

namespace omnix {
namespace {

constexpr int kMaxRules = 1000;

absl::StatusOr<bool> Holds(const std::string& condition, const Json& context) {
  if (condition.empty()) return true;
  OMNIX_ASSIGN_OR_RETURN(JqProgram* const program, CachedJqProgram(condition));
  return program->Test(context);
}

}  // namespace

void CheckPolicy(const v1::Policy& policy, YamlReport* report) {
  std::set<std::string> names;
  if (!policy.name().empty()) CheckName(policy.name(), "name", &names, report);
  if (policy.rules_size() > kMaxRules) {
    return report->Add("rules", fmt::format("{} rules; at most {} are allowed", policy.rules_size(), kMaxRules));
  }
  std::set<std::string> seen;
  for (int i = 0; i < policy.rules_size(); ++i) {
    const v1::PolicyRule& rule = policy.rules(i);
    const std::string path = fmt::format("rules[{}]", i);
    // A rule's name is shown to people ("policy:low-risk text edits"): any text will do.
    if (rule.name().empty())
      report->Add(path + ".name", "a name is required");
    else if (!seen.insert(rule.name()).second)
      report->Add(path + ".name", "this name is taken already");
    if (rule.decision() == v1::POLICY_DECISION_UNSPECIFIED) {
      report->Add(path + ".decision", "a decision is required, one of: auto, ask, forbid");
    }
    CheckJq(rule.when(), path + ".when", report);
    if (rule.when().empty() && i + 1 < policy.rules_size()) {
      report->Add(path + ".when", "a rule without a condition always holds; the rules after it are never reached");
    }
  }
}

absl::StatusOr<v1::Policy> LoadPolicy(const std::string& path) {
  OMNIX_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxYamlBytes));
  v1::Policy policy;
  YamlReport report(path);
  ParseYaml(text, &policy, &report);
  CheckPolicy(policy, &report);
  OMNIX_RETURN_IF_ERROR(report.status());
  return policy;
}

PolicyOutcome EvaluatePolicy(const v1::Policy& policy, const Json& context) {
  for (const v1::PolicyRule& rule : policy.rules()) {
    const auto holds = Holds(rule.when(), context);
    if (!holds.ok()) {
      return {v1::POLICY_DECISION_ASK, rule.name(), "this rule can't be evaluated: " + Message(holds.status())};
    }
    if (!*holds) continue;
    // A rule that says nothing must not let anything through.
    const bool decided = rule.decision() != v1::POLICY_DECISION_UNSPECIFIED;
    return {decided ? rule.decision() : v1::POLICY_DECISION_ASK, rule.name(), rule.reason()};
  }
  return {v1::POLICY_DECISION_ASK, "", "no rule of the policy applies"};
}

}  // namespace omnix
