// Who holds up whom in a PostgreSQL server.
#pragma once

#include <vector>

#include "agents/stores/postgres_state.h"

namespace omnix {

// One session at the end of a chain of waits, and all that wait for it.
struct LockChain {
  // Itself waiting for nobody. Null: it could not be seen, or is a prepared transaction (pid 0).
  const PostgresBackend* holder = nullptr;
  int holder_pid = 0;
  // Straight or through others; longest wait first.
  std::vector<const PostgresBackend*> waiters;
  // Of the one that has waited longest.
  double waited_seconds = 0;
};

// The chain with the longest wait first. Points into `state`.
std::vector<LockChain> LockChains(const PostgresState& state);

}  // namespace omnix
