// A free loopback port for a test's server.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>

namespace omnix {

// Nobody listens on it; another process can still take it first. Below the range that connections take their ports from
// (ip_local_port_range): a server that is started again must find its port still free.
inline int FreePort() {
  constexpr int kFirst = 12'000;
  constexpr int kLast = 31'999;
  constexpr int kTries = 200;
  static std::mt19937 random(std::random_device{}());
  std::uniform_int_distribution<int> ports(kFirst, kLast);
  for (int i = 0; i < kTries; ++i) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int port = ports(random);
    address.sin_port = htons(static_cast<uint16_t>(port));
    const bool free = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    close(fd);
    if (free) return port;
  }
  ADD_FAILURE() << "no free port";
  return 0;
}

}  // namespace omnix
