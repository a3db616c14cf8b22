// One run: a seed, and what came of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/simulation/fault.h"
#include "tests/simulation/promises.h"

namespace omnix::simulation {

struct Outcome {
  uint64_t seed = 0;
  // The promise that was broken, and how; empty: none.
  std::string broken;
  uint64_t trace_hash = 0;
  FaultCounts faults{};
  EventCounts events{};
  uint64_t incidents = 0;
  uint64_t steps = 0;
  absl::Duration virtual_time;
  // Lines for people, where they were asked for.
  std::vector<std::string> trace;
};

// The same for the same seed, whatever ran before. Runs share nothing; one at a time in a process (the jq programs of
// playbooks are cached in the process).
Outcome RunSeed(uint64_t seed, bool keep_trace);

}  // namespace omnix::simulation
