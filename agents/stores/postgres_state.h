// What a PostgreSQL server says of itself: limits, settings that hold clients back, sessions, and who waits for whom.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "agents/stores/postgres_session.h"

namespace omnix {

struct PostgresBackend {
  int pid = 0;
  std::string application;
  std::string user;
  std::string database;
  // Empty: over a UNIX socket.
  std::string client;
  int client_port = 0;
  // "active", "idle", "idle in transaction"...; empty where this login may not see it.
  std::string state;
  std::string wait_type;
  std::string wait_event;
  // Without literals.
  std::string query;
  // As in pg_stat_statements; empty: not known.
  std::string query_id;
  // What it waits for: "AccessShareLock on orders". Empty: for no lock.
  std::string wants;
  std::vector<int> blocked_by;
  // Seconds; below 0: none, or not to be seen. Over several looks the greatest.
  double transaction_age = -1;
  double query_age = -1;
  double state_age = -1;
  double connected_for = 0;
  // In how many looks it was there.
  int seen = 1;
};

// What pg_stat_statements keeps of one statement, since it was last reset.
struct PostgresStatement {
  std::string query_id;
  std::string query;
  int64_t calls = 0;
  absl::Duration mean;
  absl::Duration max;
};

// A setting of a database or a role that differs from the server's.
struct PostgresOverride {
  // Empty: all.
  std::string database;
  std::string role;
  std::string setting;
  std::string value;
};

// A database or role that lets no one in, or only so many.
struct PostgresLimit {
  std::string database;
  std::string role;
  // Below 0: no limit.
  int connections = -1;
  bool may_connect = true;
  bool expired = false;
};

struct PostgresState {
  Refusal refusal = Refusal::kNone;
  std::string error;
  std::string code;
  absl::Duration connect_time;

  std::string version;
  std::string user;
  std::string database;
  int max_connections = 0;
  int reserved = 0;
  bool read_only = false;
  // Where read_only comes from, as pg_settings says: "database", "user", "configuration file", "command line"...
  std::string read_only_source;
  std::string read_only_file;
  uint32_t read_only_line = 0;
  bool standby = false;
  int64_t deadlocks = 0;
  int64_t size_bytes = -1;
  // The slowest on average, where the extension is there.
  std::vector<PostgresStatement> statements;
  std::string statement_timeout;
  std::string data_directory;
  std::vector<PostgresOverride> overrides;
  std::vector<PostgresLimit> limits;
  // Clients' sessions but this one's. Some may have ended while it was looked.
  std::vector<PostgresBackend> sessions;
  // Sessions in the last look.
  int open_sessions = 0;
  // Parts that could not be had, with why.
  std::vector<std::string> unknown;
};

struct PostgresLook {
  absl::Duration login_timeout = absl::Seconds(3);
  // Sessions are looked at so often, with a pause between.
  int looks = 5;
  absl::Duration pause = absl::Milliseconds(300);
  std::function<bool()> cancelled = [] { return false; };
};

// One connection; reads only, every statement with a time limit. Never fails: what could not be had is said in the
// result.
PostgresState ReadPostgresState(const std::string& connection_string, const PostgresLook& look);

}  // namespace omnix
