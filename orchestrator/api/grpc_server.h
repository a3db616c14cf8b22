// The gRPC server of omnixd: its services, the standard health service and reflection on one address.
#pragma once

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace omnix {

struct GrpcServerOptions {
  // "host:port", "[::1]:port" or "unix:/path". Port 0: any free one.
  std::string listen = "127.0.0.1:7420";
  // Not owned; they outlive the server.
  std::vector<grpc::Service*> services;
  int max_message_bytes = 16 << 20;
  // Streams that one connection may have open.
  int max_concurrent_streams = 1000;
  int max_metadata_bytes = 16 << 10;
  // A connection on which nothing came for this long is probed, and closed where the probe isn't answered in time.
  absl::Duration keepalive_time = absl::Seconds(20);
  absl::Duration keepalive_timeout = absl::Seconds(10);
  // A connection that doesn't begin to speak HTTP/2 by then, or has no call for so long, is closed.
  absl::Duration handshake_timeout = absl::Seconds(10);
  absl::Duration max_idle = absl::Minutes(5);
  // What gRPC's buffers may hold together; beyond it connections are refused.
  size_t max_buffer_bytes = 512 << 20;
  // A client that probes more often than this is told to go away.
  absl::Duration min_client_ping_interval = absl::Seconds(5);
};

class GrpcServer {
 public:
  // Listens and serves from then on. Errors: INVALID_ARGUMENT (the address can't be read or resolved, or is not of this
  // machine), ALREADY_EXISTS (something else listens there), PERMISSION_DENIED (a port below 1024), INTERNAL.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(const GrpcServerOptions& options);

  // Cancels what still runs.
  ~GrpcServer();
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  // The port that is really bound; 0 for a unix socket.
  int port() const { return port_; }
  // As clients dial it: "127.0.0.1:7420".
  const std::string& address() const { return address_; }

  // What the health service answers, for "" and every service. SERVING at first.
  void SetServing(bool serving);

  // Takes no new call and gives running ones until `grace` is over; then they are cancelled. Streams that never end by
  // themselves (the agent link) are ended by their own service beforehand. Returns when all is over. Not twice.
  void Shutdown(absl::Duration grace);

 private:
  GrpcServer() = default;

  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
  std::string address_;
};

}  // namespace omnix
