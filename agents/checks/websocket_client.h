// One WebSocket conversation (Boost.Beast): upgrade, send, expect, keep open.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace omnix {

struct WebSocketRequest {
  std::string url;  // ws, wss, http or https
  std::vector<std::pair<std::string, std::string>> headers;
  std::string send;
  // A text that one of the messages received must contain. Empty: none is waited for.
  std::string expect;
  // Stay connected this long, with a ping that must be answered.
  absl::Duration hold;
  // For the whole, hold included.
  absl::Duration timeout = absl::Seconds(5);
};

struct WebSocketOutcome {
  // Status of the answer to the upgrade: 101 where it was accepted.
  int status = 0;
  bool accepted = false;
  // Why the conversation did not go as wanted after the upgrade; empty: it did.
  std::string mistake;
  std::string last_message;
  bool pong = false;
  absl::Duration held;
};

// Errors: INVALID_ARGUMENT (bad URL), UNAVAILABLE (refused, name not found, TLS, no HTTP answer), DEADLINE_EXCEEDED. A
// declined upgrade is none.
absl::StatusOr<WebSocketOutcome> ConverseOverWebSocket(const WebSocketRequest& request);

}  // namespace omnix
