// What is told of runs: a failure with its trace, and the sums over many seeds.
#pragma once

#include <sys/types.h>

#include <functional>

#include "tests/simulation/simulation.h"

namespace omnix::simulation {

struct Summary {
  uint64_t seeds = 0;
  uint64_t failed = 0;
  uint64_t incidents = 0;
  uint64_t steps = 0;
  double virtual_seconds = 0;
  double cpu_seconds = 0;
  FaultCounts faults{};
  EventCounts events{};

  void Add(const Outcome& outcome);
  void Add(const Summary& other);
  void Print() const;
  // Names of the faults that never happened; empty: all did.
  std::vector<std::string> FaultsThatNeverHappened() const;
};

// The last lines of the trace, the seed, the promise, and how to replay it.
void PrintFailure(const Outcome& outcome);
// All of it; true where every promise held.
bool PrintRun(const Outcome& outcome);

// A part of the work in a process of its own.
class Share {
 public:
  static Share Fork(const std::function<int(Summary&)>& work);
  // Waits for its end; gives its exit code and adds its sums.
  int Join(Summary& all);

 private:
  pid_t pid_ = -1;
  int pipe_ = -1;
};

}  // namespace omnix::simulation
