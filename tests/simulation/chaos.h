// The faults that come from outside: one after the other, at random times, while the run is faulty.
#pragma once

#include <memory>
#include <vector>

#include "tests/simulation/agent.h"
#include "tests/simulation/bench.h"
#include "tests/simulation/daemon.h"

namespace omnix::simulation {

class Chaos {
 public:
  Chaos(Bench& bench, Daemon& daemon, std::vector<std::unique_ptr<Agent>>& agents);

  void Start() { StrikeLater(); }
  // Everything works again, and the clocks go on from where they are.
  void Stop();

 private:
  void StrikeLater();
  void Strike(Fault fault);
  void StrikeAgent(Fault fault);
  void StrikeLink(Fault fault);
  void StrikeClock(Fault fault);

  Bench& bench_;
  Daemon& daemon_;
  std::vector<std::unique_ptr<Agent>>& agents_;
  Random random_;
  // Those of this run.
  std::vector<Fault> drawn_;
};

}  // namespace omnix::simulation
