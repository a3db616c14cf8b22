// Test support: a child process that is killed as it begins its Nth SQL statement.
#pragma once

#include <functional>

namespace omnix {

// Runs `body` in a child process that gets SIGKILL when it begins SQL statement number `n` (1: the first; statements of
// triggers and of opening a connection count, too) on any connection. True where it was killed; false where `body`
// ended before (and the process with exit code 0, else the test fails).
bool KilledAtStatement(int n, const std::function<bool()>& body);

}  // namespace omnix
