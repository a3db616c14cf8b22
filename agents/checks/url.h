// Addresses in checks: URLs and "host:port".
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace omnix {

struct Url {
  std::string scheme;  // lower case
  std::string host;    // IPv6 without brackets
  std::string port;    // never empty for http, https, ws, wss
  std::string target;  // path and query, "/" at least
};

// Errors: INVALID_ARGUMENT.
absl::StatusOr<Url> ParseUrl(const std::string& text);

struct HostPort {
  std::string host;
  std::string port;
};

// "host:port", "[::1]:443", ":80" and "*:80" (any address of this machine: loopback is meant). Errors:
// INVALID_ARGUMENT.
absl::StatusOr<HostPort> ParseHostPort(const std::string& text);

// Where to connect in order to reach what listens on this address: the wildcard addresses become loopback.
HostPort ConnectableAddress(const HostPort& address);

// "http://host/base" and "/path": "http://host/base/path".
std::string JoinUrl(const std::string& base, const std::string& path);

}  // namespace omnix
