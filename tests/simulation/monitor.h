// Monitors: alerts about each trouble, sent until they are acknowledged, repeated, cleared and fired again.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/bench.h"
#include "tests/simulation/daemon.h"

namespace omnix::simulation {

class Monitor {
 public:
  Monitor(Bench& bench, Daemon& daemon) : bench_(bench), daemon_(daemon), random_(bench.random.Fork()) {}

  void Start();
  // Every alert was acknowledged in the end.
  bool idle() const { return unacknowledged_ == 0; }

 private:
  v1::Alert AlertOf(size_t trouble, v1::AlertStatus status);
  void Date(size_t trouble, v1::Alert& alert);
  void Happen(size_t trouble);
  void Send(std::vector<v1::Alert> alerts);
  void Try(const std::shared_ptr<std::vector<v1::Alert>>& alerts, uint64_t request);

  Bench& bench_;
  Daemon& daemon_;
  Random random_;
  // Requests that nobody has answered with OK.
  size_t unacknowledged_ = 0;
  uint64_t requests_ = 0;
  // When each trouble began of late.
  std::map<size_t, absl::Time> starts_;
};

}  // namespace omnix::simulation
