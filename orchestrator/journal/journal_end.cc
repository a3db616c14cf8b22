#include "orchestrator/journal/journal_end.h"

#include <optional>

#include "orchestrator/journal/chain_walk.h"
#include "orchestrator/journal/pruned_ranges.h"

namespace omnix {
namespace {

// Covers the batches that a crash could have touched.
constexpr int64_t kRowsChecked = 256;

}  // namespace

absl::StatusOr<Head> ReadHead(SqliteConnection& db, Sealer& sealer) {
  OMNIX_ASSIGN_OR_RETURN(const auto text, db.Text("SELECT value FROM meta WHERE key = 'head'"));
  if (text) {
    auto head = ParseHead(*text, sealer);
    if (!head.ok()) return Annotate(head.status(), db.path() + ": ");
    return head;
  }
  OMNIX_ASSIGN_OR_RETURN(const int64_t events, db.Integer("SELECT max(id) FROM events"));
  if (events > 0) return DataLoss("{}: the head record is gone, though there are {} events", db.path(), events);
  return Head{};
}

absl::StatusOr<Head> VerifyEnd(SqliteConnection& db, Sealer& sealer) {
  OMNIX_ASSIGN_OR_RETURN(Head head, ReadHead(db, sealer));
  if (head.id == 0) return head;
  std::optional<ChainWalk> walk;
  OMNIX_RETURN_IF_ERROR(db.Query(
      "SELECT id, payload, text, chain, incident, sequence FROM events WHERE id >= ?1 ORDER BY id",
      [&](const SqliteRow& row) -> absl::Status {
        const int64_t id = row.Integer(0);
        if (!walk) {
          // The first row is taken on trust: VerifyJournal starts at the beginning.
          walk.emplace(db, sealer, Head{id, row.Blob(3)});
          return absl::OkStatus();
        }
        const absl::Status status = walk->Row(id, row.Blob(1), row.Text(2), row.Blob(3));
        if (!absl::IsDataLoss(status)) return status;
        return DataLoss("{}: row {} ({}, event {}): {}: run `omnix journal verify`", db.path(), id, row.Text(4),
                        row.Integer(5), Message(status));
      },
      head.id - kRowsChecked));
  if (!walk) {
    // All of them were pruned: the chain stands on the record alone.
    OMNIX_ASSIGN_OR_RETURN(const auto range, PrunedUpTo(db, sealer, head.id));
    const Head start = range ? Head{range->last, range->after} : Head{};
    walk.emplace(db, sealer, start);
  }
  OMNIX_RETURN_IF_ERROR(walk->End(head));
  return head;
}

}  // namespace omnix
