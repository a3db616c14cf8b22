// As whom a process runs, and how near it is to the limits that the kernel sets it; from /proc.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace omnix {

// Effective ids.
struct ProcessIdentity {
  uid_t user = 0;
  gid_t group = 0;
  std::vector<gid_t> groups;
};
// Nothing where there is no such process, or it may not be read.
std::optional<ProcessIdentity> ReadIdentity(pid_t pid);

// By owner, group and mode bits alone: access lists are not asked. Root may always.
bool MayWrite(const struct stat& info, const ProcessIdentity& who);

struct DescriptorUse {
  // Entries of /proc/PID/fd.
  uint64_t open = 0;
  // The soft limit "Max open files".
  uint64_t limit = 0;
};
// Nothing where it may not be read or has no limit.
std::optional<DescriptorUse> ReadDescriptorUse(pid_t pid);

}  // namespace omnix
