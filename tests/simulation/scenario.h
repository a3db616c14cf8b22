// What a run is about: drawn from its seed before it begins.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "orchestrator/engine/engine.h"
#include "tests/simulation/fault.h"
#include "tests/simulation/random.h"

namespace omnix::simulation {

struct AgentPlace {
  std::string name;
  std::string kind;
  std::vector<std::string> task_types;
  uint32_t capacity = 1;
};

struct Scenario {
  EngineOptions engine;
  Configuration configuration;
  std::vector<AgentPlace> agents;
  // What plans change; a plan takes one to `resources_of_a_plan` of them.
  std::vector<std::string> resources;
  uint64_t resources_of_a_plan = 2;
  // Things that go wrong in the systems under care: each is an alert source with a fingerprint of its own.
  size_t troubles = 1;
  // All troubles begin in the same moment.
  bool contention = false;
  // Faults happen until then; afterwards every incident must come to an end or to a person.
  absl::Duration faults_until;
  absl::Duration between_faults;
  // Faults are drawn per run (all of them at once hide each other).
  std::array<bool, kFaults> enabled{};
  // A message's way.
  absl::Duration shortest_way, longest_way;

  bool Has(Fault fault) const { return enabled[static_cast<size_t>(fault)]; }
};

// What the run's grouping rule asks of all alerts.
std::optional<v1::Occurrences> OccurrencesOf(const Scenario& scenario);

Scenario DrawScenario(uint64_t seed, Random& random);

// The longest that an incident may take once nothing goes wrong any more.
absl::Duration LongestWay(const Scenario& scenario);

}  // namespace omnix::simulation
