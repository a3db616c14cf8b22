// Runs programs without a shell.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace omnix {

struct ProcessOptions {
  std::string cwd;
  absl::Duration timeout = absl::Seconds(30);
  // Output beyond this is read and dropped.
  size_t max_output_bytes = 1 << 20;
  std::string input;
  // Added to a clean environment (PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin, LANG=C.UTF-8, HOME
  // kept): nothing else is inherited.
  std::map<std::string, std::string> environment;
};

struct ProcessResult {
  // Exit status, or 128 + signal.
  int exit_code = 0;
  // Standard output and standard error, each capped.
  std::string out;
  std::string err;
  bool timed_out = false;
  bool truncated = false;
};

// Runs argv[0] (looked up in that PATH) in a process group of its own, which is killed whole at the timeout. Returns as
// soon as the program ended, even where a daemon that it left behind keeps the pipes open. Errors: INVALID_ARGUMENT
// (empty argv), NOT_FOUND (no such program), PERMISSION_DENIED, INTERNAL. A program that ran and failed is no error:
// see exit_code. Thread-safe.
absl::StatusOr<ProcessResult> RunProcess(const std::vector<std::string>& argv, const ProcessOptions& options = {});

}  // namespace omnix
