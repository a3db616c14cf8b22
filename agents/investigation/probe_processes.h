// What runs for each service and instance of the model on this machine.
#pragma once

#include <string>
#include <vector>

#include "agents/investigation/process_table.h"
#include "agents/investigation/scene.h"

namespace omnix {

struct ProcessFacts {
  const v1::Service* service = nullptr;
  // Null: the service's own process.
  const v1::Instance* instance = nullptr;
  // "service" or "service/instance", for people.
  std::string name;
  // Where it must listen, "host:port"; those of this machine.
  std::vector<std::string> addresses;
  // Who listens there, else who matches its pid file or `match`. Found once, at the beginning of the watch.
  std::vector<RunningProcess> processes;
  // Somebody listens at each of `addresses` (true where there is none).
  bool listens = true;
  // Connections that wait to be accepted, at the end of the watch.
  int waiting = 0;
  // Share of one core that its processes used during the watch.
  double cpu = 0;
  // Starts and ends of matching processes that were seen during the watch: a process that stays has none.
  int restarts_seen = 0;
  std::string evidence;
};

// One ProcessFacts for each service or instance which listens at a loopback or wildcard address, or has a `process`.
// Watches for kProcessWatch. Evidence of source "processes".
inline constexpr absl::Duration kProcessWatch = absl::Milliseconds(2500);
void ProbeProcesses(Scene* scene);

// Null: nothing is known.
const ProcessFacts* ProcessOf(const Scene& scene, const v1::Service& service, const v1::Instance* instance = nullptr);

}  // namespace omnix
