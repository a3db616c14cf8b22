// What changed lately in a git work tree. Reads only; runs git without the user's configuration, hooks, pager or
// external diff programs.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace omnix {

inline constexpr size_t kMaxGitCommits = 200;

struct GitCommit {
  std::string hash;
  std::string author;
  absl::Time time;
  std::string subject;
  // Absolute paths.
  std::vector<std::string> files;
};

struct GitHunk {
  // First line after the change (1-based).
  uint32_t line = 0;
  std::vector<std::string> removed;
  std::vector<std::string> added;
};

// Newest first. `paths`: only commits that touch one of them (empty: all). Errors: NOT_FOUND (no such folder, or no
// work tree), FAILED_PRECONDITION (git failed; with its message).
absl::StatusOr<std::vector<GitCommit>> GitLog(const std::string& repository, absl::Time since,
                                              const std::vector<std::string>& paths = {});

// What a commit changed in one file.
absl::StatusOr<std::vector<GitHunk>> GitChange(const std::string& repository, const std::string& commit,
                                               const std::string& path);

// A file that differs from the last commit.
struct GitEdit {
  // Absolute.
  std::string path;
  // When the file was last written; the infinite past where it is gone.
  absl::Time written = absl::InfinitePast();
};

// Files that were edited without a commit, staged or not; none that git ignores or does not know. Errors: as GitLog;
// FAILED_PRECONDITION also where there is no commit yet.
absl::StatusOr<std::vector<GitEdit>> GitEdits(const std::string& repository);

// What such a file has otherwise than the last commit.
absl::StatusOr<std::vector<GitHunk>> GitEditOf(const std::string& repository, const std::string& path);

// Commit that last touched a line; its hash is empty where the line is not committed yet.
absl::StatusOr<GitCommit> GitBlame(const std::string& repository, const std::string& path, uint32_t line);

}  // namespace omnix
