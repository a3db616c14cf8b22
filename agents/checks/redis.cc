#include "agents/checks/redis.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <cstdint>
#include <vector>

#include "absl/strings/str_split.h"
#include "agents/checks/socket.h"
#include "common/redact.h"
#include "common/status.h"

namespace omnix {
namespace asio = boost::asio;
namespace {

constexpr char kScheme[] = "redis://";
constexpr char kDefaultPort[] = ":6379";
constexpr size_t kMaxReplyBytes = 64 * 1024;

struct RedisAddress {
  HostPort at;
  std::string user;
  std::string password;
};

std::string Decode(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    const char* digits = text.data() + i + 1;
    const bool escaped =
        text[i] == '%' && i + 2 < text.size() && std::from_chars(digits, digits + 2, value, 16).ptr == digits + 2;
    if (escaped) i += 2;
    out.push_back(escaped ? static_cast<char>(value) : text[i]);
  }
  return out;
}

absl::StatusOr<RedisAddress> ParseRedisDsn(const std::string& dsn) {
  if (!dsn.starts_with(kScheme)) return InvalidArgument("the dsn of a redis database begins with {}", kScheme);
  std::string rest = dsn.substr(sizeof(kScheme) - 1);
  RedisAddress address;
  if (const size_t at = rest.rfind('@'); at != std::string::npos) {
    const std::string who = rest.substr(0, at);
    const size_t colon = who.find(':');
    address.user = Decode(who.substr(0, colon));
    if (colon != std::string::npos) address.password = Decode(who.substr(colon + 1));
    rest = rest.substr(at + 1);
  }
  rest = rest.substr(0, rest.find_first_of("/?"));
  const size_t colon = rest.rfind(':');
  if (colon == std::string::npos || rest.ends_with(']')) rest += kDefaultPort;
  OMNIX_ASSIGN_OR_RETURN(const HostPort at, ParseHostPort(rest));
  address.at = ConnectableAddress(at);
  return address;
}

std::string Command(const std::vector<std::string>& words) {
  std::string text = fmt::format("*{}\r\n", words.size());
  for (const std::string& word : words) text += fmt::format("${}\r\n{}\r\n", word.size(), word);
  return text;
}

// Everything that the server says until it closes, which QUIT makes it do.
absl::StatusOr<std::string> Exchange(const HostPort& at, const std::string& commands, absl::Duration timeout) {
  const std::string what = fmt::format("redis at {}:{}", at.host, at.port);
  asio::io_context io;
  asio::ip::tcp::resolver resolver(io);
  asio::ip::tcp::socket socket(io);
  std::string reply;
  absl::Status status = DeadlineExceeded("{}: no answer in time", what);
  const auto read = [&] {
    asio::async_read(socket, asio::dynamic_buffer(reply, kMaxReplyBytes), [&](const auto& error, size_t) {
      // A server that lets no one in closes with what it did not read: a reset behind its reason.
      status = error && reply.empty() ? SocketError(error, what) : absl::OkStatus();
    });
  };
  resolver.async_resolve(at.host, at.port, [&](const auto& unresolved, const auto& endpoints) {
    if (unresolved) {
      status = SocketError(unresolved, what);
      return;
    }
    asio::async_connect(socket, endpoints, [&](const auto& refused, const auto&) {
      if (refused) {
        status = SocketError(refused, what);
        return;
      }
      asio::async_write(socket, asio::buffer(commands), [&](const auto&, size_t) { read(); });
    });
  });
  io.run_for(absl::ToChronoMilliseconds(timeout));
  if (!status.ok()) return status;
  return reply;
}

uint64_t Number(const std::vector<std::string>& lines, const std::string& key) {
  uint64_t value = 0;
  for (const std::string& line : lines) {
    if (line.starts_with(key + ":")) std::from_chars(line.data() + key.size() + 1, line.data() + line.size(), value);
  }
  return value;
}

}  // namespace

absl::Status PingRedis(const std::string& dsn, absl::Duration timeout) {
  OMNIX_ASSIGN_OR_RETURN(const RedisAddress address, ParseRedisDsn(dsn));
  std::string commands;
  if (!address.password.empty()) {
    commands +=
        address.user.empty() ? Command({"AUTH", address.password}) : Command({"AUTH", address.user, address.password});
  }
  commands += Command({"PING"}) + Command({"INFO", "memory"}) + Command({"QUIT"});
  OMNIX_ASSIGN_OR_RETURN(const std::string reply, Exchange(address.at, commands, timeout));
  const std::vector<std::string> lines = absl::StrSplit(reply, "\r\n");
  const size_t ping = address.password.empty() ? 0 : 1;
  for (size_t i = 0; i <= ping; ++i) {
    const std::string line = i < lines.size() ? lines[i] : "";
    if (!line.starts_with('+'))
      return Unavailable("redis answers: {}", Excerpt(line.starts_with('-') ? line.substr(1) : line, 240));
  }
  const uint64_t limit = Number(lines, "maxmemory");
  const bool keeps_all = reply.find("maxmemory_policy:noeviction") != std::string::npos;
  if (limit > 0 && keeps_all && Number(lines, "used_memory") >= limit) {
    return ResourceExhausted("redis has used up its maxmemory of {} bytes and may evict nothing: it refuses writes",
                             limit);
  }
  return absl::OkStatus();
}

}  // namespace omnix
