// Memory beside its limits: of the control groups that services run in, and of the whole machine.
#pragma once

#include <string>

#include "agents/investigation/cgroup_memory.h"
#include "agents/investigation/scene.h"

namespace omnix {

// Of the processes of one service or copy that runs here.
struct MemoryFacts {
  const v1::Service* service = nullptr;
  // Null: the service's own processes.
  const v1::Instance* instance = nullptr;
  CgroupMemory memory;
  // Another service of the model has processes in the same group.
  bool shared = false;
  // The oldest of its processes.
  absl::Time started;
  std::string evidence;
};

struct MachineMemoryFacts {
  MachineMemory memory;
  // The service whose processes here have most memory. Null: none runs here.
  const v1::Service* largest = nullptr;
  uint64_t largest_bytes = 0;
  // Empty: there is enough.
  std::string evidence;
};

// After the other probes, since it asks for the processes that they found. Evidence of source "memory": of groups that
// have a limit or met the OOM killer, and of the machine where less than a tenth is available or programs wait for
// memory.
void ProbeMemory(Scene* scene);

// "123 MB".
std::string Megabytes(uint64_t bytes);

}  // namespace omnix
