#include "orchestrator/journal/silence_log.h"

#include <filesystem>
#include <set>
#include <utility>

#include "common/json.h"
#include "common/status.h"
#include "common/time.h"
#include "orchestrator/core/silence_rules.h"

namespace omnix {
namespace {

using Visit = std::function<void(int64_t sequence, const v1::SilenceEvent& event)>;

// Before the first row.
Head Beginning(Sealer& sealer) { return {0, sealer.SilenceChain(Sealer::Origin(), 0, "")}; }

absl::Status WriteHead(SqliteConnection& db, Sealer& sealer, const Head& head) {
  return db.Run("INSERT OR REPLACE INTO silence_head (id, head) VALUES (1, ?1)", FormatHead(head, sealer));
}

absl::StatusOr<Head> ReadSilenceHead(SqliteConnection& db, Sealer& sealer) {
  OMNIX_ASSIGN_OR_RETURN(const auto text, db.Text("SELECT head FROM silence_head WHERE id = 1"));
  if (!text) return DataLoss("{}: the record of the last row is gone", db.path());
  const auto head = ParseHead(*text, sealer);
  if (head.ok()) return head;
  return DataLoss("{}: {}", db.path(), Message(head.status()));
}

absl::Status MakeTables(SqliteConnection& db, Sealer& sealer) {
  OMNIX_RETURN_IF_ERROR(db.Execute(
      "CREATE TABLE silence_events (sequence INTEGER PRIMARY KEY, payload BLOB NOT NULL, seal BLOB NOT NULL) "
      "STRICT; CREATE TABLE silence_head (id INTEGER PRIMARY KEY CHECK (id = 1), head TEXT NOT NULL) STRICT"));
  return WriteHead(db, sealer, Beginning(sealer));
}

// Each row against its seal, the last one against the head.
absl::Status Walk(SqliteConnection& db, Sealer& sealer, const Visit& visit) {
  OMNIX_ASSIGN_OR_RETURN(const Head head, ReadSilenceHead(db, sealer));
  Head last = Beginning(sealer);
  OMNIX_RETURN_IF_ERROR(db.Query(
      "SELECT sequence, payload, seal FROM silence_events ORDER BY sequence",
      [&](const SqliteRow& row) -> absl::Status {
        const std::string payload = row.Blob(1);
        last = {row.Integer(0), sealer.SilenceChain(last.chain, row.Integer(0), payload)};
        if (last.chain != row.Blob(2)) {
          return DataLoss("{}: row {} was changed without the key, or a row before it was removed", db.path(), last.id);
        }
        v1::SilenceEvent event;
        if (!event.ParseFromString(payload)) return DataLoss("{}: row {} can't be read", db.path(), last.id);
        visit(last.id, event);
        return absl::OkStatus();
      }));
  if (last.id == head.id && last.chain == head.chain) return absl::OkStatus();
  return DataLoss("{}: it ends with row {}, but row {} was the last: the end was cut off", db.path(), last.id, head.id);
}

// A statement that does not fit the tables means that these were changed.
absl::Status WalkExisting(SqliteConnection& db, Sealer& sealer, const Visit& visit) {
  const absl::Status status = Walk(db, sealer, visit);
  if (!absl::IsInternal(status)) return status;
  return DataLoss("{}: the schema was changed or damaged: {}", db.path(), Message(status));
}

// Makes the seals anew, over the gaps.
absl::Status SealAll(SqliteConnection& db, Sealer& sealer) {
  std::vector<Head> rows;
  Head last = Beginning(sealer);
  OMNIX_RETURN_IF_ERROR(
      db.Query("SELECT sequence, payload FROM silence_events ORDER BY sequence", [&](const SqliteRow& row) {
        last = {row.Integer(0), sealer.SilenceChain(last.chain, row.Integer(0), row.Blob(1))};
        rows.push_back(last);
        return absl::OkStatus();
      }));
  for (const Head& row : rows) {
    OMNIX_RETURN_IF_ERROR(
        db.Run("UPDATE silence_events SET seal = ?2 WHERE sequence = ?1", row.id, SqliteBlob{row.chain}));
  }
  return WriteHead(db, sealer, last);
}

std::set<std::string> Ended(const SilenceState& state, const SilencePruneOptions& options) {
  std::set<std::string> ended;
  const std::vector<const v1::Silence*> all = state.All();
  for (const v1::Silence* silence : all) {
    if (silence == all.back() || state.CountHeld(silence->id()) > 0) continue;
    const absl::Time end = FromProto(silence->has_expired_at() ? silence->expired_at() : silence->ends_at());
    if (end < options.before && StatusOf(*silence, options.now) == v1::SILENCE_STATUS_ENDED)
      ended.insert(silence->id());
  }
  return ended;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SilenceLog>> SilenceLog::Open(const std::string& path, const std::string& key) {
  OMNIX_ASSIGN_OR_RETURN(auto db, SqliteConnection::Open(path, SqliteConnection::Access::kReadWrite));
  OMNIX_RETURN_IF_ERROR(db->Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL"));
  OMNIX_ASSIGN_OR_RETURN(const int64_t tables,
                         db->Integer("SELECT count(*) FROM sqlite_schema WHERE name = 'silence_events'"));
  std::unique_ptr<SilenceLog> log(new SilenceLog(std::move(db), key));
  SqliteConnection& opened = *log->db_;
  if (tables == 0) {
    const absl::Status made = InTransaction(opened, [&] { return MakeTables(opened, log->sealer_); });
    if (!made.ok()) return made;
  }
  OMNIX_ASSIGN_OR_RETURN(
      const int64_t sealed,
      opened.Integer("SELECT count(*) FROM pragma_table_info('silence_events') WHERE name = 'seal'"));
  if (sealed == 0) {
    return FailedPrecondition(
        "{}: its rows have no seals, so an earlier build wrote it; move it away (its silences end)", path);
  }
  OMNIX_ASSIGN_OR_RETURN(log->head_, ReadSilenceHead(opened, log->sealer_));
  return log;
}

absl::Status SilenceLog::Append(const std::vector<v1::SilenceEvent>& events) {
  Head head = head_;
  const absl::Status kept = InTransaction(*db_, [&]() -> absl::Status {
    for (const auto& event : events) {
      const std::string payload = SerializeDeterministically(event);
      head = {head.id + 1, sealer_.SilenceChain(head.chain, head.id + 1, payload)};
      OMNIX_RETURN_IF_ERROR(db_->Run("INSERT INTO silence_events (sequence, payload, seal) VALUES (?1, ?2, ?3)",
                                     head.id, SqliteBlob{payload}, SqliteBlob{head.chain}));
    }
    return WriteHead(*db_, sealer_, head);
  });
  if (kept.ok()) head_ = head;
  return kept;
}

absl::Status SilenceLog::Read(const std::function<void(const v1::SilenceEvent&)>& visit) {
  return WalkExisting(*db_, sealer_, [&visit](int64_t, const v1::SilenceEvent& event) { visit(event); });
}

absl::StatusOr<int64_t> VerifySilences(const std::string& path, const std::string& key) {
  if (!std::filesystem::exists(path)) return 0;
  OMNIX_ASSIGN_OR_RETURN(auto db, SqliteConnection::Open(path, SqliteConnection::Access::kReadOnly));
  Sealer sealer(key);
  int64_t events = 0;
  // One view, while a writer may go on.
  OMNIX_RETURN_IF_ERROR(db->Run("BEGIN"));
  OMNIX_RETURN_IF_ERROR(WalkExisting(*db, sealer, [&events](int64_t, const v1::SilenceEvent&) { ++events; }));
  return events;
}

absl::StatusOr<int64_t> PruneSilences(const std::string& path, const std::string& key,
                                      const SilencePruneOptions& options) {
  if (!std::filesystem::exists(path)) return 0;
  OMNIX_ASSIGN_OR_RETURN(auto db, SqliteConnection::Open(path, options.dry_run ? SqliteConnection::Access::kReadOnly
                                                                               : SqliteConnection::Access::kReadWrite));
  Sealer sealer(key);
  int64_t removed = 0;
  const auto prune = [&]() -> absl::Status {
    SilenceState state;
    std::vector<std::pair<int64_t, std::string>> rows;
    OMNIX_RETURN_IF_ERROR(WalkExisting(*db, sealer, [&](int64_t sequence, const v1::SilenceEvent& event) {
      state.Evolve(event);
      rows.emplace_back(sequence, event.silence_id());
    }));
    const std::set<std::string> ended = Ended(state, options);
    removed = static_cast<int64_t>(ended.size());
    if (options.dry_run || ended.empty()) return absl::OkStatus();
    for (const auto& row : rows) {
      if (!ended.contains(row.second)) continue;
      OMNIX_RETURN_IF_ERROR(db->Run("DELETE FROM silence_events WHERE sequence = ?1", row.first));
    }
    return SealAll(*db, sealer);
  };
  if (options.dry_run) {
    OMNIX_RETURN_IF_ERROR(db->Run("BEGIN"));
    OMNIX_RETURN_IF_ERROR(prune());
  } else {
    OMNIX_RETURN_IF_ERROR(db->Execute("PRAGMA synchronous = FULL"));
    OMNIX_RETURN_IF_ERROR(InTransaction(*db, prune));
  }
  return removed;
}

}  // namespace omnix
