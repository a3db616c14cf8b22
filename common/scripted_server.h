// A real HTTP server for tests, which answers what it is told to.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <string>
#include <thread>

namespace omnix {

// A real server on a free port of 127.0.0.1: for each connection, reads one request (head and Content-Length body) and
// writes the scripted bytes.
class ScriptedServer {
 public:
  using Script = std::function<std::string(const std::string& request)>;

  explicit ScriptedServer(Script script) : script_(std::move(script)) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(0, bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)));
    EXPECT_EQ(0, listen(listener_, 16));
    socklen_t length = sizeof(address);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~ScriptedServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  std::string Url(const std::string& path) const { return "http://" + Address() + path; }
  std::string Address() const { return "127.0.0.1:" + std::to_string(port_); }
  // A script that gives this keeps silent until the client gives up.
  inline static const std::string kSilence = "";

 private:
  void Serve() {
    for (;;) {
      const int peer = accept(listener_, nullptr, nullptr);
      if (peer < 0) return;
      const std::string answer = script_(ReadRequest(peer));
      size_t sent = 0;
      while (sent < answer.size()) {
        const ssize_t n = send(peer, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) break;
        sent += static_cast<size_t>(n);
      }
      char byte;
      if (answer == kSilence) {
        while (recv(peer, &byte, 1, 0) > 0) continue;
      }
      shutdown(peer, SHUT_WR);
      close(peer);
    }
  }
  static std::string ReadRequest(int peer) {
    std::string request;
    char buffer[4096];
    for (;;) {
      const size_t end = request.find("\r\n\r\n");
      if (end != std::string::npos) {
        const std::string field = "Content-Length: ";
        const size_t at = request.find(field);
        const size_t body =
            at == std::string::npos ? 0 : std::strtoul(request.c_str() + at + field.size(), nullptr, 10);
        if (request.size() >= end + 4 + body) return request;
      }
      const ssize_t n = recv(peer, buffer, sizeof(buffer), 0);
      if (n <= 0) return request;
      request.append(buffer, static_cast<size_t>(n));
      constexpr char kTlsHandshake = 0x16;
      if (request.front() == kTlsHandshake) return request;
    }
  }

  Script script_;
  int listener_ = -1;
  int port_ = 0;
  std::thread thread_;
};

}  // namespace omnix
