// How programs write down where their PostgreSQL is: URLs (postgresql://, postgres+driver://, jdbc:postgresql://),
// libpq's "host=... user=..." and "Host=...;Username=...".
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace omnix {

inline constexpr int kPostgresPort = 5432;

struct PostgresDsn {
  // Empty: not said. A folder: of UNIX sockets.
  std::string host;
  // 0: not said.
  int port = 0;
  std::string user;
  std::string password;
  std::string database;

  // "host:port", loopback names and UNIX sockets as 127.0.0.1: the server there is this machine's.
  std::string Address() const;
};

// Nothing where the text is no such thing; texts of at most kMaxDsnBytes are looked at.
inline constexpr size_t kMaxDsnBytes = 2048;
std::optional<PostgresDsn> ParsePostgresDsn(std::string_view text);

// libpq's connection string for it, with every value quoted. What is not said is libpq's default, but a host is always
// named: 127.0.0.1.
std::string ToConnectionString(const PostgresDsn& dsn);

}  // namespace omnix
