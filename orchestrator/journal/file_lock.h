// An advisory lock that one process holds for as long as it lives: a file beside the one that it guards.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace omnix {

class FileLock {
 public:
  // Takes the lock of `path` ("<path>.lock"), without waiting. The file that is guarded is not touched: closing a
  // descriptor of an SQLite file would drop SQLite's own locks on it. Errors: FAILED_PRECONDITION (held: the message
  // names the process), PERMISSION_DENIED, UNAVAILABLE (can't be created).
  static absl::StatusOr<std::unique_ptr<FileLock>> Take(const std::string& path);
  ~FileLock();

  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace omnix
