// What all parts of one run share: time, trace, promises, and the say on whether a fault strikes.
#pragma once

#include "common/time.h"
#include "tests/simulation/fault.h"
#include "tests/simulation/promises.h"
#include "tests/simulation/random.h"
#include "tests/simulation/scenario.h"
#include "tests/simulation/trace.h"
#include "tests/simulation/virtual_time.h"

namespace omnix::simulation {

class Bench {
 public:
  Bench(uint64_t seed, bool keep_lines)
      : random(seed),
        scenario(DrawScenario(seed, random)),
        trace(keep_lines),
        promises(scheduler, trace, FromProto(scenario.configuration.playbooks.front().budget()),
                 FromProto(scenario.configuration.playbooks.front().approval_timeout()), OccurrencesOf(scenario)) {}

  // Draws whether it strikes now, and counts it. Never once the faults are over.
  bool Strikes(Fault fault, Random& by, double probability) {
    if (!faulty || !scenario.Has(fault) || !by.Chance(probability)) return false;
    Count(fault);
    return true;
  }
  void Count(Fault fault) {
    ++faults[static_cast<size_t>(fault)];
    trace.Add(scheduler.now(), "fault", "{}", NameOf(fault));
  }
  absl::Duration now() const { return scheduler.now(); }

  Random random;
  const Scenario scenario;
  Scheduler scheduler;
  Trace trace;
  Promises promises;
  FaultCounts faults{};
  // False once the run only has to come to its end.
  bool faulty = true;
};

}  // namespace omnix::simulation
