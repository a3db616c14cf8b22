#include "orchestrator/journal/pruned_ranges.h"

namespace omnix {
namespace {

absl::StatusOr<bool> HasTable(SqliteConnection& db) {
  OMNIX_ASSIGN_OR_RETURN(const int64_t tables,
                         db.Integer("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'pruned'"));
  return tables > 0;
}

// `sql` selects first, last, before, after, time, seal.
absl::StatusOr<std::optional<PrunedRange>> Find(SqliteConnection& db, Sealer& sealer, const char* sql, int64_t id) {
  std::optional<PrunedRange> found;
  OMNIX_ASSIGN_OR_RETURN(const bool has_table, HasTable(db));
  if (!has_table) return found;
  OMNIX_RETURN_IF_ERROR(db.Query(
      sql,
      [&](const SqliteRow& row) -> absl::Status {
        PrunedRange range{row.Integer(0), row.Integer(1), row.Blob(2), row.Blob(3), row.Text(4)};
        if (range.last < range.first ||
            sealer.PrunedSeal(range.first, range.last, range.before, range.after, range.time) != row.Blob(5)) {
          return DataLoss("{}: the record of the pruned rows {} to {} was changed without the key", db.path(),
                          range.first, range.last);
        }
        found = std::move(range);
        return absl::OkStatus();
      },
      id));
  return found;
}

}  // namespace

absl::StatusOr<std::optional<PrunedRange>> PrunedFrom(SqliteConnection& db, Sealer& sealer, int64_t first) {
  return Find(db, sealer, "SELECT first, last, before, after, time, seal FROM pruned WHERE first = ?1", first);
}

absl::StatusOr<std::optional<PrunedRange>> PrunedUpTo(SqliteConnection& db, Sealer& sealer, int64_t last) {
  return Find(db, sealer, "SELECT first, last, before, after, time, seal FROM pruned WHERE last = ?1", last);
}

absl::StatusOr<int64_t> CountPruned(SqliteConnection& db) {
  OMNIX_ASSIGN_OR_RETURN(const bool has_table, HasTable(db));
  if (!has_table) return 0;
  return db.Integer("SELECT count(*) FROM pruned");
}

absl::Status AddPruned(SqliteConnection& db, Sealer& sealer, const PrunedRange& range) {
  const std::string seal = sealer.PrunedSeal(range.first, range.last, range.before, range.after, range.time);
  return db.Run("INSERT INTO pruned (first, last, before, after, time, seal) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                range.first, range.last, SqliteBlob{range.before}, SqliteBlob{range.after}, range.time,
                SqliteBlob{seal});
}

absl::Status RemovePruned(SqliteConnection& db, const PrunedRange& range) {
  return db.Run("DELETE FROM pruned WHERE first = ?1", range.first);
}

}  // namespace omnix
