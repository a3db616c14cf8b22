#include "tests/simulation/scenario.h"

#include <fmt/format.h>

#include "common/time.h"

namespace omnix::simulation {
namespace {

constexpr uint64_t kSeedsPerContention = 500;
constexpr size_t kContendingIncidents = 200;
constexpr size_t kContendedResources = 20;
constexpr uint32_t kContentionCapacity = 50;
constexpr absl::Duration kBudget = absl::Minutes(8);
constexpr absl::Duration kContentionBudget = absl::Hours(6);

v1::TaskSpec Spec(const std::string& name, const std::string& type, absl::Duration timeout, uint32_t attempts) {
  v1::TaskSpec spec;
  spec.set_name(name);
  spec.set_type(type);
  *spec.mutable_timeout() = ToProto(timeout);
  spec.set_attempts(attempts);
  return spec;
}

v1::Playbook DrawPlaybook(bool contention, Random& random) {
  v1::Playbook playbook;
  playbook.set_name("simulated");
  *playbook.mutable_mobilize_timeout() = ToProto(absl::Seconds(random.Between(3, 20)));
  *playbook.mutable_budget() = ToProto(contention ? kContentionBudget : kBudget);
  *playbook.mutable_approval_timeout() = ToProto(absl::Seconds(random.Between(20, 120)));
  playbook.set_max_recoveries(static_cast<uint32_t>(random.Between(1, 3)));
  *playbook.add_investigating() = Spec("diagnose", "investigation.diagnose", absl::Seconds(20), 3);
  if (random.Chance(0.3)) {
    auto* assess = playbook.add_investigating();
    *assess = Spec("assess", "infrastructure.assess", absl::Seconds(10), 2);
    assess->set_optional(true);
  }
  auto* plan = playbook.add_recovering();
  *plan = Spec("plan", "recovery.plan", absl::Seconds(10), 3);
  plan->set_input("{explanation: .explanation.id}");
  auto* apply = playbook.add_recovering();
  *apply = Spec("apply", "recovery.apply", absl::Seconds(30), contention ? 10 : 3);
  apply->add_needs("plan");
  apply->set_approval(true);
  apply->set_input("{plan, approval}");
  *playbook.add_validating() = Spec("validate", "testing.validate", absl::Seconds(20), 3);
  if (random.Chance(0.3)) {
    auto* soak = playbook.add_validating();
    *soak = Spec("soak", "testing.validate", absl::Seconds(20), 2);
    soak->add_needs("validate");
    soak->set_when("(.incident.severity // \"\") == \"SEVERITY_CRITICAL\"");
  }
  auto* rollback = playbook.add_rollback();
  *rollback = Spec("rollback", "recovery.rollback", absl::Seconds(30), 5);
  rollback->set_input("{plan}");
  auto* report = playbook.add_documenting();
  *report = Spec("report", "documentation.report", absl::Seconds(10), 2);
  report->set_optional(true);
  return playbook;
}

v1::Policy DrawPolicy(bool contention, Random& random) {
  v1::Policy policy;
  auto* rule = policy.add_rules();
  rule->set_name("drawn");
  const uint64_t drawn = contention ? 0 : random.Below(10);
  rule->set_decision(drawn < 5   ? v1::POLICY_DECISION_AUTO
                     : drawn < 9 ? v1::POLICY_DECISION_ASK
                                 : v1::POLICY_DECISION_FORBID);
  return policy;
}

// Two pairs of services; alerts of a pair join one incident.
v1::SystemModel System() {
  v1::SystemModel system;
  system.set_name("simulated");
  for (const char* name : {"shop", "shop-db", "mail", "mail-db"}) system.add_services()->set_name(name);
  system.mutable_services(0)->add_depends_on("shop-db");
  system.mutable_services(2)->add_depends_on("mail-db");
  return system;
}

std::vector<AgentPlace> DrawAgents(bool contention, Random& random) {
  auto capacity = [&] { return contention ? kContentionCapacity : static_cast<uint32_t>(random.Between(1, 4)); };
  std::vector<AgentPlace> agents;
  const std::vector<std::string> recovery = {"recovery.plan", "recovery.apply", "recovery.rollback"};
  const int64_t recoverers = random.Between(1, 2);
  for (int64_t i = 0; i < recoverers; ++i) {
    agents.push_back({fmt::format("recovery-{}", i), "recovery", recovery, capacity()});
  }
  agents.push_back({"investigator", "investigation", {"investigation.diagnose", "infrastructure.assess"}, capacity()});
  if (random.Chance(0.4)) agents.push_back({"investigator-2", "investigation", {"investigation.diagnose"}, capacity()});
  agents.push_back({"tester", "testing", {"testing.validate", "documentation.report"}, capacity()});
  return agents;
}

void EnableFaults(bool contention, Scenario& scenario, Random& random) {
  // From calm runs to wild ones.
  const double share = contention ? 0.15 : 0.1 * static_cast<double>(random.Below(7));
  for (auto& enabled : scenario.enabled) enabled = random.Chance(share);
  scenario.enabled[static_cast<size_t>(Fault::kContention)] = contention;
}

// Resolved incidents are taken up again, and what changes back and forth is soon taken for flapping.
v1::GroupingRule DrawRule(Random& random) {
  v1::GroupingRule rule;
  rule.set_name("drawn");
  rule.set_late(v1::LATE_ALERTS_REOPEN);
  rule.mutable_flapping()->set_changes(static_cast<uint32_t>(random.Between(1, 2)));
  *rule.mutable_flapping()->mutable_quiet() = ToProto(random.Between(absl::Seconds(2), absl::Seconds(30)));
  // Some incidents wait for an alert to come again.
  if (random.Chance(0.5)) {
    rule.mutable_occurrences()->set_count(static_cast<uint32_t>(random.Between(2, 3)));
    *rule.mutable_occurrences()->mutable_within() = ToProto(random.Between(absl::Seconds(10), absl::Minutes(2)));
  }
  return rule;
}

}  // namespace

Scenario DrawScenario(uint64_t seed, Random& random) {
  Scenario scenario;
  scenario.contention = seed % kSeedsPerContention == 0;
  const bool crowd = !scenario.contention && random.Chance(0.03);
  scenario.engine.heartbeat_interval = absl::Seconds(3);
  scenario.engine.lease_duration = absl::Seconds(10);
  // Waiting incidents leave memory in some runs.
  if (random.Chance(0.3)) scenario.engine.max_idle_incidents = static_cast<size_t>(random.Between(0, 2));
  scenario.configuration.playbooks.push_back(DrawPlaybook(scenario.contention, random));
  scenario.configuration.policy = DrawPolicy(scenario.contention, random);
  scenario.configuration.system = System();
  scenario.agents = DrawAgents(scenario.contention, random);
  const size_t resources = scenario.contention ? kContendedResources : static_cast<size_t>(random.Between(1, 4));
  for (size_t i = 0; i < resources; ++i) scenario.resources.push_back(fmt::format("file:/etc/r{}", i));
  scenario.resources_of_a_plan = static_cast<uint64_t>(random.Between(1, 3));
  scenario.troubles = scenario.contention ? kContendingIncidents
                                          : static_cast<size_t>(crowd ? random.Between(6, 16) : random.Between(1, 3));
  scenario.faults_until = random.Between(absl::Seconds(15), absl::Seconds(60));
  scenario.between_faults = random.Between(absl::Milliseconds(500), absl::Seconds(6));
  EnableFaults(scenario.contention, scenario, random);
  scenario.shortest_way = absl::Microseconds(100);
  scenario.longest_way = random.Chance(0.3) ? absl::Milliseconds(400) : absl::Milliseconds(3);
  if (!scenario.contention && random.Chance(0.4)) *scenario.configuration.grouping.add_rules() = DrawRule(random);
  return scenario;
}

std::optional<v1::Occurrences> OccurrencesOf(const Scenario& scenario) {
  const auto& rules = scenario.configuration.grouping.rules();
  if (rules.empty() || !rules[0].has_occurrences()) return std::nullopt;
  return rules[0].occurrences();
}

absl::Duration LongestWay(const Scenario& scenario) {
  return 2 * FromProto(scenario.configuration.playbooks.front().budget());
}

}  // namespace omnix::simulation
