// Files below allowed paths, reached without following a link: what a plan can touch is bounded by how the file is
// opened, not by a check of its name beforehand, so that nothing swapped in between leads elsewhere.
#pragma once

#include <sys/types.h>

#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace omnix {

inline constexpr size_t kMaxEditableBytes = 4 << 20;

// Absolute, without empty, "." or ".." parts. Errors: INVALID_ARGUMENT.
absl::Status CheckPathText(const std::string& path);

struct FileAttributes {
  mode_t mode = 0;
  uid_t owner = 0;
  gid_t group = 0;
  timespec modified{};
};

struct FileState {
  std::string content;
  FileAttributes attributes;
};

// Thread-safe.
class SafeFiles {
 public:
  // Entries are files or folders; a link in an entry itself is followed, being the configuration's.
  explicit SafeFiles(std::vector<std::string> allowed_paths) : allowed_(std::move(allowed_paths)) {}

  // Errors: PERMISSION_DENIED (outside, a link on the way, several hard links, setuid), NOT_FOUND, FAILED_PRECONDITION
  // (no regular file), RESOURCE_EXHAUSTED (larger than kMaxEditableBytes).
  absl::StatusOr<FileState> Read(const std::string& path) const;

  // Replaces an existing file atomically and durably, keeping owner, mode and extended attributes (ACLs).
  absl::Status Replace(const std::string& path, std::string_view content) const;

  // The same with these attributes, modification time included.
  absl::Status Restore(const std::string& path, const FileState& state) const;

 private:
  absl::Status Write(const std::string& path, std::string_view content, const FileAttributes* attributes) const;

  std::vector<std::string> allowed_;
};

}  // namespace omnix
