// TCP connections with a deadline (Boost.Asio).
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agents/checks/url.h"

namespace boost::system {
class error_code;
}

namespace omnix {

// Connects and closes again. Errors: UNAVAILABLE (refused, name not found, no route: the message says which),
// DEADLINE_EXCEEDED.
absl::Status TryConnect(const HostPort& address, absl::Duration timeout);

// As above, of "host:port". Errors: also those of ParseHostPort.
absl::Status TryConnect(const std::string& address, absl::Duration timeout);

// The error of a socket operation, with what was tried before it ("connecting to 127.0.0.1:80").
absl::Status SocketError(const boost::system::error_code& error, const std::string& what);

}  // namespace omnix
