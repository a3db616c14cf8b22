// Operators: they decide what they are asked, and interfere.
#pragma once

#include <string>

#include "tests/simulation/bench.h"
#include "tests/simulation/daemon.h"

namespace omnix::simulation {

class People {
 public:
  People(Bench& bench, Daemon& daemon) : bench_(bench), daemon_(daemon), random_(bench.random.Fork()) {}

  void Start() { LookLater(); }

 private:
  void LookLater();
  void Look();
  void Interfere(const v1::Incident& incident);
  void Send(v1::CommandIncidentRequest request);
  std::string PlanToName(const v1::Incident& incident);

  Bench& bench_;
  Daemon& daemon_;
  Random random_;
  uint64_t commands_ = 0;
};

}  // namespace omnix::simulation
