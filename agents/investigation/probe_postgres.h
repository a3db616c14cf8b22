// What the PostgreSQL servers of a system say of themselves, and whether they let their clients in.
#pragma once

#include <string>
#include <vector>

#include "agents/investigation/postgres_dsns.h"
#include "agents/investigation/postgres_processes.h"
#include "agents/stores/blocking.h"
#include "agents/stores/postgres_state.h"

namespace omnix {

// One attempt to log in as a service would.
struct PostgresLogin {
  // Null: the model's own.
  const v1::Service* client = nullptr;
  v1::Location location;
  std::string user;
  std::string database;
  Refusal refusal = Refusal::kNone;
  // SQLSTATE; empty: the server said none.
  std::string code;
  // Redacted.
  std::string error;
  std::string evidence;
};

struct PostgresFacts {
  // Null: the model names no service at the address.
  const v1::Service* store = nullptr;
  std::string address;
  // By the first way in that was let in; state.refusal tells whether there was one.
  PostgresState state;
  std::vector<PostgresLogin> logins;
  // Where somebody found no connection left.
  std::vector<PostgresProcess> processes;
  // Of the state; empty where nobody was let in.
  std::string evidence;
};

// One PostgresFacts for each server of FindPostgresServers; evidence of source "postgres". One connection to a server
// at a time, transactions that only read, statements of at most 1.2 s, some 2 s in all.
void ProbePostgres(Scene* scene);

// What a person should see of a state, line by line. Bounded.
std::string DescribePostgres(const PostgresState& state);

}  // namespace omnix
