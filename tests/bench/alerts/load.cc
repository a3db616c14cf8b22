#include "tests/bench/alerts/load.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "tests/bench/support/child.h"

namespace omnix::bench {
namespace {

constexpr size_t kReadBytes = 64 << 10;
constexpr int kEventsAtOnce = 256;
constexpr int kAnswerTimeoutMs = 30'000;
constexpr std::string_view kOk = "HTTP/1.1 200";
constexpr std::string_view kLength = "Content-Length: ";

int Connect(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    Die(std::string("connect: ") + std::strerror(errno));
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

}  // namespace

Load::Load(int port, int connections) : epoll_(epoll_create1(EPOLL_CLOEXEC)), connections_(connections) {
  for (size_t i = 0; i < connections_.size(); ++i) {
    connections_[i].fd = Connect(port);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, connections_[i].fd, &event);
  }
}

Load::~Load() {
  for (const auto& connection : connections_) close(connection.fd);
  close(epoll_);
}

void Load::Send(Connection& connection) {
  // Blocks at most until the server has read a request that it must read whole anyway.
  while (connection.sent < connection.out.size()) {
    const ssize_t sent = send(connection.fd, connection.out.data() + connection.sent,
                              connection.out.size() - connection.sent, MSG_NOSIGNAL);
    if (sent <= 0) Die(std::string("send: ") + std::strerror(errno));
    connection.sent += static_cast<size_t>(sent);
  }
}

bool Load::Receive(Connection& connection) {
  static thread_local std::array<char, kReadBytes> buffer;
  const ssize_t got = recv(connection.fd, buffer.data(), buffer.size(), 0);
  if (got <= 0) Die(got == 0 ? std::string("the server closed a connection") : std::strerror(errno));
  connection.in.append(buffer.data(), static_cast<size_t>(got));
  const size_t head = connection.in.find("\r\n\r\n");
  if (head == std::string::npos) return false;
  if (!connection.in.starts_with(kOk)) Die("answered: " + connection.in);
  const size_t field = connection.in.find(kLength);
  if (field == std::string::npos || field > head) Die("no length: " + connection.in);
  size_t length = 0;
  std::from_chars(connection.in.data() + field + kLength.size(), connection.in.data() + head, length);
  if (connection.in.size() < head + 4 + length) return false;
  connection.in.clear();
  return true;
}

LoadResult Load::Run(const std::function<const std::string&()>& next, double seconds, uint64_t most,
                     Histogram* latency) {
  const uint64_t began = MonotonicNs();
  const uint64_t until = began + static_cast<uint64_t>(seconds * 1e9);
  uint64_t begun = 0;
  auto begin = [&](Connection& connection) {
    connection.out = next();
    connection.sent = 0;
    connection.began = MonotonicNs();
    ++begun;
    Send(connection);
  };
  const size_t at_once = static_cast<size_t>(std::min<uint64_t>(connections_.size(), most));
  for (size_t i = 0; i < at_once; ++i) begin(connections_[i]);
  LoadResult result;
  std::array<epoll_event, kEventsAtOnce> events;
  while (result.answered < begun) {
    const int ready = epoll_wait(epoll_, events.data(), kEventsAtOnce, kAnswerTimeoutMs);
    if (ready == 0) Die("no answer within 30 s");
    const uint64_t now = MonotonicNs();
    for (int i = 0; i < ready; ++i) {
      Connection& connection = connections_[events[static_cast<size_t>(i)].data.u64];
      if (!Receive(connection)) continue;
      ++result.answered;
      if (latency != nullptr) latency->Add(now - connection.began);
      if (now < until && begun < most) begin(connection);
    }
  }
  result.seconds = static_cast<double>(MonotonicNs() - began) / 1e9;
  return result;
}

}  // namespace omnix::bench
