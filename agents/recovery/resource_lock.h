// Locks of resources ("file:/etc/x", "service:gateway") between the processes of this host. Released with the object,
// or with the process.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace omnix {

class ResourceLocks {
 public:
  // Takes all or none, without waiting. Errors: UNAVAILABLE (held by another plan: names the resource), others of the
  // file system.
  static absl::StatusOr<ResourceLocks> Acquire(const std::string& folder, std::vector<std::string> resources);
  ResourceLocks(ResourceLocks&& other) noexcept;
  ResourceLocks& operator=(ResourceLocks&&) = delete;
  ~ResourceLocks();

 private:
  ResourceLocks() = default;
  std::vector<int> descriptors_;
};

}  // namespace omnix
