#include "orchestrator/journal/journal_end.h"

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
  OMNIX_ASSIGN_OR_RETURN(const int64_t last, db.Integer("SELECT max(id) FROM events"));
  if (last != head.id) {
    return DataLoss("{}: the head record names row {} as the last, the last one there is row {}", db.path(), head.id,
                    last);
  }
  int64_t previous_id = 0;
  std::string previous;
  OMNIX_RETURN_IF_ERROR(db.Query(
      "SELECT id, payload, text, chain, incident, sequence FROM events WHERE id >= ?1 ORDER BY id",
      [&](const SqliteRow& row) -> absl::Status {
        const int64_t id = row.Integer(0);
        const std::string chain = row.Blob(3);
        // The first row is taken on trust: VerifyJournal starts at the beginning.
        if (previous_id != 0 &&
            (previous_id != id - 1 || sealer.EventChain(previous, id, row.Blob(1), row.Text(2)) != chain)) {
          return DataLoss("{}: row {} ({}, event {}) does not fit the chain: run `omnix journal verify`", db.path(), id,
                          row.Text(4), row.Integer(5));
        }
        previous_id = id;
        previous = chain;
        return absl::OkStatus();
      },
      head.id - kRowsChecked));
  if (previous != head.chain) {
    return DataLoss("{}: the last row does not fit the head record", db.path());
  }
  return head;
}

}  // namespace omnix
