// Follows the chain over the rows of `events`, and over the gaps that pruning left.
//
//   ChainWalk walk(db, sealer);
//   for each row in order of id: OMNIX_RETURN_IF_ERROR(walk.Row(id, payload, text, chain));
//   OMNIX_RETURN_IF_ERROR(walk.End(head));
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "orchestrator/journal/chain.h"
#include "orchestrator/journal/sqlite_connection.h"

namespace omnix {

// Not thread-safe.
class ChainWalk {
 public:
  // Begins behind `start`, which is taken on trust: by default before the first row.
  ChainWalk(SqliteConnection& db, Sealer& sealer, Head start = {})
      : db_(db), sealer_(sealer), last_(std::move(start)) {}

  // Errors: DATA_LOSS, saying what is wrong with the row (the caller says which row it is).
  absl::Status Row(int64_t id, const std::string& payload, const std::string& text, const std::string& chain);
  // After the last row: does the head record name it? Errors: DATA_LOSS.
  absl::Status End(const Head& head);

  const Head& last() const { return last_; }
  // Gaps crossed, and rows that are missing there.
  int64_t pruned_ranges() const { return pruned_ranges_; }
  int64_t pruned_rows() const { return pruned_rows_; }

 private:
  absl::Status CrossGap(int64_t next_id);

  SqliteConnection& db_;
  Sealer& sealer_;
  Head last_;
  int64_t pruned_ranges_ = 0;
  int64_t pruned_rows_ = 0;
};

}  // namespace omnix
