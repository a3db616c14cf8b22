#include "agents/recovery/resource_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "common/file.h"
#include "common/hash.h"
#include "common/status.h"

namespace omnix {

absl::StatusOr<ResourceLocks> ResourceLocks::Acquire(const std::string& folder, std::vector<std::string> resources) {
  OMNIX_RETURN_IF_ERROR(MakeFolders(folder));
  std::sort(resources.begin(), resources.end());
  resources.erase(std::unique(resources.begin(), resources.end()), resources.end());
  ResourceLocks locks;
  for (const std::string& resource : resources) {
    const std::string path = folder + "/" + Sha256Hex(resource) + ".lock";
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return Internal("lock {}: open {}: {}", resource, path, std::generic_category().message(errno));
    locks.descriptors_.push_back(fd);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) continue;
    if (errno == EWOULDBLOCK) return Unavailable("{} is being changed by another recovery on this host", resource);
    return Internal("lock {}: {}", resource, std::generic_category().message(errno));
  }
  return locks;
}

ResourceLocks::ResourceLocks(ResourceLocks&& other) noexcept : descriptors_(std::exchange(other.descriptors_, {})) {}

ResourceLocks::~ResourceLocks() {
  for (const int fd : descriptors_) close(fd);
}

}  // namespace omnix
