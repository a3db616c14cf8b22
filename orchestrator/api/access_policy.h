// Who may ask what of the HTTP API.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "orchestrator/api/http_message.h"

namespace omnix {

inline constexpr size_t kMinTokenBytes = 16;

// The parts of a request's head that access depends on.
struct RequestHead {
  std::string method;
  std::string path;
  std::string host;
  std::string origin;
  std::string authorization;
};

// Immutable and thread-safe.
//
// - Host must name the loopback interface, the listen address or a configured host (else 421): a page elsewhere can't
// reach the API by
//   pointing a DNS name of its own at this machine.
// - An Origin header on a changing request must be the server's own (else 403).
// - With a token, every path but /healthz wants `Authorization: Bearer TOKEN`, or Basic with the token as password
// (401): browsers ask for
//   it and send it along for pages and event streams, which can't set a Bearer header. The user name is who acts.
class AccessPolicy {
 public:
  // `listen_host` as bound. `hosts`: further names without a port. `token_file`: empty for none; its content without
  // surrounding white space is the token. Errors: FAILED_PRECONDITION (not a loopback address and no token file; a
  // token shorter than kMinTokenBytes), those of ReadFile.
  static absl::StatusOr<AccessPolicy> Create(const std::string& listen_host, std::vector<std::string> hosts,
                                             const std::string& token_file);

  // Nothing where the request may go on; else the refusal. Sets `user` to the name of a Basic authorization.
  std::optional<ApiResponse> Refuse(const RequestHead& head, std::string* user) const;

 private:
  bool HostAllowed(std::string_view host) const;
  bool TokenMatches(std::string_view authorization, std::string* user) const;

  std::vector<std::string> hosts_;
  // SHA-256 of the token; empty: none is wanted.
  std::string token_hash_;
};

// "127.0.0.1", "::1", "localhost" and the rest of 127.0.0.0/8.
bool IsLoopbackHost(std::string_view host);

}  // namespace omnix
