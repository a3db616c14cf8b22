// The records that stand in for rows of `events` that were pruned: each carries the chain over a gap, under a seal, so
// that a gap that anybody else made still shows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "orchestrator/journal/chain.h"
#include "orchestrator/journal/sqlite_connection.h"

namespace omnix {

struct PrunedRange {
  int64_t first = 0;  // row numbers
  int64_t last = 0;
  std::string before;  // chain value of the row before `first`
  std::string after;   // chain value of the row `last`
  std::string time;    // UTC text: when the last of them was removed
};

// The record of the rows from `first` on, or up to `last`; nullopt where there is none (also in a journal of schema
// version 1, which has no such table). Errors: DATA_LOSS (its seal does not fit); those of SqliteConnection.
absl::StatusOr<std::optional<PrunedRange>> PrunedFrom(SqliteConnection& db, Sealer& sealer, int64_t first);
absl::StatusOr<std::optional<PrunedRange>> PrunedUpTo(SqliteConnection& db, Sealer& sealer, int64_t last);

// How many records there are.
absl::StatusOr<int64_t> CountPruned(SqliteConnection& db);

// Inside the caller's transaction.
absl::Status AddPruned(SqliteConnection& db, Sealer& sealer, const PrunedRange& range);
absl::Status RemovePruned(SqliteConnection& db, const PrunedRange& range);

}  // namespace omnix
