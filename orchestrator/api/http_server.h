// The HTTP/1.1 server of omnixd (Boost.Beast): an event loop and threads of its own, limits on everything, keep-alive,
// HEAD, Expect, pipelining, server-sent events.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "orchestrator/api/access_policy.h"
#include "orchestrator/api/router.h"

namespace omnix {

struct HttpServerOptions {
  // Numeric address. One that other machines reach needs a token file (see AccessPolicy).
  std::string listen_host = "127.0.0.1";
  // 0: any free one.
  uint16_t port = 7421;
  // Further host names that requests may name.
  std::vector<std::string> hosts;
  std::string token_file;
  int threads = 2;
  uint32_t max_header_bytes = 16 << 10;
  uint64_t max_body_bytes = 8 << 20;
  // Bodies that are being read or handled at a time, together; beyond it: 503.
  uint64_t max_bodies_bytes = 64 << 20;
  // Beyond it a connection is answered 503 and closed.
  size_t max_connections = 256;
  size_t max_event_streams = 64;
  // What waits for one reader of an event stream.
  size_t max_stream_bytes = 4 << 20;
  // After these the connection is closed, so that clients spread anew.
  uint32_t max_requests_per_connection = 10'000;
  // A request's head, from its first byte; its body; an answer's writing; the engine's answer.
  absl::Duration header_timeout = absl::Seconds(10);
  absl::Duration body_timeout = absl::Seconds(30);
  absl::Duration write_timeout = absl::Seconds(30);
  absl::Duration handler_timeout = absl::Seconds(30);
  // A connection between two requests.
  absl::Duration idle_timeout = absl::Seconds(75);
  // A comment goes over a silent event stream this often, so that a reader that has gone is noticed.
  absl::Duration stream_ping_interval = absl::Seconds(15);
};

// Told of each answer: the route's pattern ("" where none matched) and the status. Called on the server's threads; must
// not block.
using RequestObserver = std::function<void(const std::string& route, unsigned status)>;

struct HttpCore;

class HttpServer {
 public:
  // Listens and serves from then on. Errors: those of AccessPolicy::Create, INVALID_ARGUMENT (no numeric address),
  // ALREADY_EXISTS (something else listens there), PERMISSION_DENIED, INTERNAL.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const HttpServerOptions& options, Router router,
                                                           RequestObserver observer);
  // Stops without grace.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  uint16_t port() const { return port_; }

  // Takes no new connection, ends event streams and idle connections, gives requests under way until `grace` is over,
  // then closes what is left. Answers that come later are dropped. Returns when all threads have ended. A second call
  // does nothing.
  void Stop(absl::Duration grace);

 private:
  HttpServer() = default;

  std::shared_ptr<HttpCore> core_;
  std::vector<std::thread> threads_;
  uint16_t port_ = 0;
};

}  // namespace omnix
