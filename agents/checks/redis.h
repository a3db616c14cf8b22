// Asks a Redis server how it is: PING and INFO memory, in its own protocol (RESP).
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace omnix {

// `dsn`: "redis://[[user]:password@]host[:port][/number]", escapes as in any URL. Changes nothing there. Errors:
// INVALID_ARGUMENT (not such a dsn), UNAVAILABLE (no connection, or what the server answers in place of PONG: "NOAUTH
// ...", "LOADING ...", "MISCONF ..."), RESOURCE_EXHAUSTED (maxmemory is used up and nothing may be evicted),
// DEADLINE_EXCEEDED. No message holds the password.
absl::Status PingRedis(const std::string& dsn, absl::Duration timeout);

}  // namespace omnix
