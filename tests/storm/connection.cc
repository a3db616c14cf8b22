#include "tests/storm/connection.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <cstdlib>

namespace omnix::storm {
namespace {

constexpr int kAnswerTimeoutS = 60;
constexpr size_t kReadBytes = 64 << 10;

// Value of a header in a head; empty: absent.
std::string HeaderOf(std::string_view head, const std::string& name) {
  const size_t at = head.find("\r\n" + name + ": ");
  if (at == std::string_view::npos) return "";
  const size_t begin = at + name.size() + 4;
  return std::string(head.substr(begin, head.find("\r\n", begin) - begin));
}

}  // namespace

Connection::~Connection() { Close(); }

void Connection::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  in_.clear();
}

bool Connection::Open() {
  Close();
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return false;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port_));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval timeout{kAnswerTimeoutS, 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return true;
  Close();
  return false;
}

bool Connection::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

std::string Connection::Received() {
  std::array<char, kReadBytes> buffer;
  while (fd_ >= 0) {
    const ssize_t got = recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got <= 0) break;
    in_.append(buffer.data(), static_cast<size_t>(got));
  }
  return in_;
}

bool Connection::IsOpen() {
  char byte = 0;
  return fd_ >= 0 && recv(fd_, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN;
}

bool Connection::Read(Answer* answer) {
  std::array<char, kReadBytes> buffer;
  for (;;) {
    const size_t head_end = in_.find("\r\n\r\n");
    if (head_end != std::string::npos) {
      const std::string head = in_.substr(0, head_end + 2);
      const size_t length = std::strtoul(HeaderOf(head, "Content-Length").c_str(), nullptr, 10);
      const size_t begin = head_end + 4;
      if (in_.size() >= begin + length) {
        answer->status = std::atoi(head.c_str() + head.find(' '));
        answer->retry_after = !HeaderOf(head, "Retry-After").empty();
        answer->body = in_.substr(begin, length);
        in_.erase(0, begin + length);
        if (HeaderOf(head, "Connection") == "close") Close();
        return true;
      }
    }
    const ssize_t got = recv(fd_, buffer.data(), buffer.size(), 0);
    if (got <= 0) return false;
    in_.append(buffer.data(), static_cast<size_t>(got));
  }
}

Answer Connection::Post(const std::string& path, const std::string& body) {
  Answer answer;
  if (fd_ < 0 && !Open()) return answer;
  const std::string head =
      fmt::format("POST {} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                  path, body.size());
  // A server that refuses a request closes before it has read all of it; its answer may be there all the same.
  const bool sent = Send(head) && Send(body);
  if (!Read(&answer) || !sent) Close();
  return answer;
}

}  // namespace omnix::storm
