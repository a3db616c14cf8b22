#include "orchestrator/journal/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/status.h"

namespace omnix {
namespace {

constexpr mode_t kLockMode = 0640;
constexpr size_t kMaxPidDigits = 20;

std::string Holder(int fd) {
  char text[kMaxPidDigits] = {};
  const ssize_t size = pread(fd, text, sizeof text, 0);
  return size > 0 ? std::string(text, static_cast<size_t>(size)) : "unknown";
}

}  // namespace

absl::StatusOr<std::unique_ptr<FileLock>> FileLock::Take(const std::string& path) {
  const std::string lock_path = path + ".lock";
  const int fd = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kLockMode);
  if (fd < 0) {
    const bool denied = errno == EACCES || errno == EPERM;
    return MakeError(denied ? absl::StatusCode::kPermissionDenied : absl::StatusCode::kUnavailable,
                     "{}: its lock file {} can't be opened: {}", path, lock_path, std::strerror(errno));
  }
  std::unique_ptr<FileLock> lock(new FileLock(fd));
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return Unavailable("{}: can't be locked: {}", lock_path, std::strerror(errno));
    return FailedPrecondition("{}: another omnixd (process {}) has this journal open: stop it, or use another file",
                              path, Holder(fd));
  }
  // For the message above alone: a full disk does not matter here.
  const std::string pid = std::to_string(getpid());
  if (ftruncate(fd, 0) != 0 || pwrite(fd, pid.data(), pid.size(), 0) < 0) return lock;
  return lock;
}

FileLock::~FileLock() { close(fd_); }

}  // namespace omnix
