// The real HTTP server before an engine that takes everything and keeps nothing: for tests that throw bytes at it.
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <string_view>

#include "orchestrator/api/http_server.h"
#include "orchestrator/api/routes.h"
#include "orchestrator/engine/scripted_operator.h"

namespace omnix {

// Keeps nothing of what grows with the requests. Thread-safe.
class ForgetfulOperator final : public ScriptedOperator {
 public:
  void IngestAlerts(std::vector<v1::Alert> list, Callback<std::vector<IngestedAlert>> done) override {
    done(std::vector<IngestedAlert>(list.size(), {"INC-2025-09-04-001", true, false}));
  }
  void CommandIncident(v1::CommandIncidentRequest, Callback<v1::CommandIncidentResponse> done) override {
    done(v1::CommandIncidentResponse());
  }
  void Watch(v1::WatchIncidentRequest, std::shared_ptr<WatchSink>) override {}
};

class FrontDoor {
 public:
  // Ends the program where it can't listen.
  FrontDoor() {
    HttpServerOptions options;
    options.port = 0;
    server_ = *HttpServer::Start(options, Router(ApiRoutes({&operator_, intake_.get(), &metrics_, &clock_})),
                                 [](const std::string&, unsigned) {});
  }

  // Sends the bytes on a connection of their own, ends its sending side and gives what came until the server closed it,
  // or until it was silent: a stream of events stays open.
  std::string Send(std::string_view bytes) const {
    constexpr int kSilenceMs = 500;
    constexpr int kSilenceOfStreamMs = 10;
    const int peer = Connect();
    std::string answer;
    while (!bytes.empty()) {
      const ssize_t sent = send(peer, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) break;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    shutdown(peer, SHUT_WR);
    for (;;) {
      pollfd entry{peer, POLLIN, 0};
      char chunk[16 << 10];
      const bool streams = answer.find("text/event-stream") != std::string::npos;
      if (poll(&entry, 1, streams ? kSilenceOfStreamMs : kSilenceMs) <= 0) break;
      const ssize_t got = recv(peer, chunk, sizeof(chunk), 0);
      if (got <= 0) break;
      answer.append(chunk, static_cast<size_t>(got));
    }
    close(peer);
    return answer;
  }

  // Others are served, whatever has been sent before.
  bool ServesOthers() const {
    return Send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").starts_with("HTTP/1.1 200 ");
  }

 private:
  int Connect() const {
    const int peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server_->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connect(peer, reinterpret_cast<sockaddr*>(&address), sizeof(address));
    // Closing at once leaves no port waiting: thousands of connections come one after the other.
    const linger at_once{1, 0};
    setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    return peer;
  }

  ForgetfulOperator operator_;
  std::unique_ptr<AlertIntake> intake_ = *AlertIntake::Create({});
  Metrics metrics_;
  SystemClock clock_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace omnix
