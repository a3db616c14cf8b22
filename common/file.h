// Files: read whole, replaced atomically and durably.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace omnix {

inline constexpr size_t kMaxFileBytes = 64 << 20;

// Regular files only (never a FIFO or device). Errors: NOT_FOUND, PERMISSION_DENIED, FAILED_PRECONDITION (no regular
// file), RESOURCE_EXHAUSTED (larger than max_bytes); the message names the path.
absl::StatusOr<std::string> ReadFile(const std::string& path, size_t max_bytes = kMaxFileBytes);

// The last max_bytes of a file, beginning at a line's start.
absl::StatusOr<std::string> ReadFileTail(const std::string& path, size_t max_bytes);

// Writes a temporary file beside `path`, fsyncs it, gives it owner and mode of the file it replaces (or `mode` where
// there is none), renames it over `path` and fsyncs the folder: a reader sees the old or the new content, and after OK
// a power loss does not bring back the old.
absl::Status ReplaceFile(const std::string& path, std::string_view content, mode_t mode = 0644);

// Creates the folder and its parents. OK where it exists.
absl::Status MakeFolders(const std::string& path);

// Files that match the glob pattern, sorted; empty where none does.
std::vector<std::string> Glob(const std::string& pattern);

// `path` made absolute against `folder`.
std::string ResolvePath(const std::string& path, const std::string& folder);

}  // namespace omnix
