// One HTTP request (libcurl).
#pragma once

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace omnix {

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  absl::Duration timeout = absl::Seconds(5);
  // Of the timeout, for the connection and the TLS handshake.
  absl::Duration connect_timeout = absl::InfiniteDuration();
  // Beyond this the body is cut and HttpResponse.truncated set. A stream of events (text/event-stream) is cut after its
  // head.
  size_t max_body_bytes = 1 << 20;
  bool follow_redirects = false;
  // Connect there ("127.0.0.1:8443") whatever the URL's host says; the Host header and TLS name stay the URL's.
  std::string connect_to;
  bool verify_tls = true;
  // Ends the request within a second once it is true; the error is CANCELLED. Null: nothing does.
  const std::atomic<bool>* stop = nullptr;
};

struct HttpResponse {
  int status = 0;
  // In the order they came, names in lower case.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  bool truncated = false;
  absl::Duration duration;
  // First value of a header (name in lower case), or empty.
  std::string Header(const std::string& name) const;
};

// Only http and https. Errors: INVALID_ARGUMENT (bad URL), UNAVAILABLE (refused, no route, name not found, TLS failed:
// the message says which), DEADLINE_EXCEEDED, CANCELLED (by `stop`). An answer with any status is no error. No proxy
// from the environment is used. Thread-safe.
absl::StatusOr<HttpResponse> SendHttp(const HttpRequest& request);

}  // namespace omnix
