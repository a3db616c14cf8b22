// How much memory the kernel lets a process' control group use, and how much it does: cgroup v2 and v1.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"

namespace omnix {

// A limit of the group or of one that it is in.
struct MemoryLimit {
  // "/system.slice/shop.service"; "/" is all that this machine or container may use.
  std::string group;
  // "/sys/fs/cgroup/system.slice/shop.service/memory.max".
  std::string file;
  uint64_t limit_bytes = 0;
  // Without the file cache, which the kernel takes back when memory is short.
  uint64_t used_bytes = 0;

  double share() const { return static_cast<double>(used_bytes) / static_cast<double>(limit_bytes); }
  // "memory.max of /system.slice/shop.service".
  std::string Name() const;
};

struct CgroupMemory {
  // The process' own group.
  std::string group;
  // Of its groups' limits the one that is used up most. Unset: none has one.
  std::optional<MemoryLimit> tightest;
  // Processes of the group that the OOM killer took since the group was made.
  uint64_t oom_kills = 0;
  // When it was made, or a group in it.
  absl::Time made = absl::InfinitePast();
};

// `root` stands before /proc and /sys/fs/cgroup; empty: this machine's own. Nothing where there is no such process, or
// its memory is not counted by a group that can be seen from here.
std::optional<CgroupMemory> ReadCgroupMemory(pid_t pid, const std::string& root = "");

// The whole machine's.
struct MachineMemory {
  uint64_t total_bytes = 0;
  // What programs can still get without swapping.
  uint64_t available_bytes = 0;
  // Share of the last ten seconds in which no program got on for want of memory. Unset: this kernel does not say.
  std::optional<double> stalled;

  double available() const { return static_cast<double>(available_bytes) / static_cast<double>(total_bytes); }
};
std::optional<MachineMemory> ReadMachineMemory(const std::string& root = "");

// Memory that a process has to itself or shares with others, from /proc/PID/statm; 0: not known.
uint64_t ReadResidentBytes(pid_t pid, const std::string& root = "");

}  // namespace omnix
