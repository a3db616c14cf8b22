// The sessions of a PostgreSQL server of this machine by the titles of its processes: what can be seen of one that lets
// nobody in any more.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace omnix {

struct PostgresProcess {
  std::string user;
  std::string database;
  // "10.0.0.7(51234)" or "[local]".
  std::string client;
  // "idle", "idle in transaction", "SELECT", "SELECT waiting"...
  std::string doing;
};

// "postgres: shop shop 127.0.0.1(51234) idle"; nothing for the server's own workers.
std::optional<PostgresProcess> ParsePostgresTitle(const std::string& command);

// Children of whoever listens at the port of `address` ("127.0.0.1:5432"); none where the address is not of this
// machine.
std::vector<PostgresProcess> ReadPostgresProcesses(const std::string& address);

}  // namespace omnix
