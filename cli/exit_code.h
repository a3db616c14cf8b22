// What the shell sees. Scripts may rely on these numbers.
#pragma once

namespace omnix {

enum class ExitCode {
  kDone = 0,
  // The command was understood and did not succeed.
  kFailed = 1,
  kUsage = 2,
  // An approval is outstanding, was denied, or is forbidden by policy.
  kApproval = 3,
  // A question could not be asked because nobody is there to answer it.
  kInputNeeded = 4,
  kUnreachable = 5,
};

// A process that a signal ended: 130 for SIGINT, 143 for SIGTERM.
inline constexpr int kExitSignalBase = 128;

}  // namespace omnix
