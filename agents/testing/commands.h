// The testing agent's own commands: `check SUITE.yaml --system FILE` and `monitor --system FILE ... --alert-url URL`.
#pragma once

namespace omnix {

// True where the first argument names one of them.
bool IsCommand(int argc, char** argv);

// Exit code: 0 passed (check) or stopped by signal (monitor), 1 failed, 2 bad usage, suite or system model.
int RunCommand(int argc, char** argv);

}  // namespace omnix
