// The ways into the PostgreSQL servers of a system: what the model says, and what its services' configuration says.
#pragma once

#include <string>
#include <vector>

#include "agents/investigation/scene.h"
#include "agents/stores/postgres_dsn.h"

namespace omnix {

struct PostgresWay {
  // The service whose configuration has it; null: the model's own `database` of the store.
  const v1::Service* client = nullptr;
  // Where it is written; of a way of several values, where the host is. No file: in the model.
  v1::Location location;
  // Where the password is written, when that is another value.
  v1::Location password_location;
  PostgresDsn dsn;
  // As libpq takes it. Has the password.
  std::string connection_string;
};

struct PostgresServer {
  // Null: the model names no service at this address.
  const v1::Service* store = nullptr;
  // "host:port".
  std::string address;
  // The model's own first.
  std::vector<PostgresWay> ways;
};

// Servers that the model names, or that are on this machine and named by a configuration file of the model; at most
// kMaxPostgresServers, with at most kMaxPostgresWays each. Equal ways of one service are one. Reads the configuration
// files; what has ${placeholders} that are not set is left out.
inline constexpr size_t kMaxPostgresServers = 8;
inline constexpr size_t kMaxPostgresWays = 6;
std::vector<PostgresServer> FindPostgresServers(const Case& investigation);

}  // namespace omnix
