#include "orchestrator/journal/maintenance.h"

#include <SQLiteCpp/Backup.h>
#include <omnix/v1/event.pb.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/hash.h"
#include "common/time.h"
#include "orchestrator/journal/chain.h"
#include "orchestrator/journal/file_lock.h"
#include "orchestrator/journal/journal_end.h"
#include "orchestrator/journal/names.h"
#include "orchestrator/journal/projection.h"
#include "orchestrator/journal/reader_pool.h"
#include "orchestrator/journal/schema.h"

namespace omnix {
namespace {

bool Exists(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0;
}

absl::StatusOr<std::unique_ptr<SqliteConnection>> OpenExisting(const std::string& path) {
  if (!Exists(path)) return NotFound("{}: there is no such journal", path);
  OMNIX_ASSIGN_OR_RETURN(auto db, OpenReader(path));
  OMNIX_RETURN_IF_ERROR(CheckReadable(*db));
  return db;
}

// Walks the rows in order and keeps what the next one must fit.
class ChainWalk {
 public:
  ChainWalk(SqliteConnection& db, Sealer& sealer) : db_(db), sealer_(sealer) {}

  absl::Status Row(const SqliteRow& row) {
    const int64_t id = row.Integer(0);
    const std::string chain = row.Blob(6);
    if (id != last_.id + 1) {
      return Bad(row, fmt::format("rows {} to {} before it are missing", last_.id + 1, id - 1));
    }
    if (sealer_.EventChain(last_.chain, id, row.Blob(5), row.Text(4)) != chain) {
      return Bad(row, "it was changed, or does not follow the row before it");
    }
    // The chain covers payload and text; the other columns must say what the payload says.
    v1::Event event;
    if (!event.ParseFromString(row.Blob(5)) || event.incident_id() != row.Text(1) ||
        static_cast<int64_t>(event.sequence()) != row.Integer(2) || EventTypeName(event.kind_case()) != row.Text(3) ||
        FormatTime(event.time()) != row.Text(7)) {
      return Bad(row, "its columns were changed: they are not what its payload says");
    }
    last_ = Head{id, chain};
    return absl::OkStatus();
  }

  absl::Status End(const Head& head) const {
    if (last_.id == head.id && last_.chain == head.chain) return absl::OkStatus();
    return DataLoss("{}: the end was cut off or changed: the head record names row {} as the last, rows go up to {}",
                    db_.path(), head.id, last_.id);
  }

  const Head& last() const { return last_; }

 private:
  absl::Status Bad(const SqliteRow& row, const std::string& what) const {
    return DataLoss("{}: row {} (incident {}, sequence {}): {}", db_.path(), row.Integer(0), row.Text(1),
                    row.Integer(2), what);
  }

  SqliteConnection& db_;
  Sealer& sealer_;
  Head last_;
};

absl::Status CheckKey(SqliteConnection& db, Sealer& sealer, const std::string& key_path) {
  OMNIX_ASSIGN_OR_RETURN(const auto key_id, db.Text("SELECT value FROM meta WHERE key = 'key_id'"));
  if (key_id == sealer.KeyId()) return absl::OkStatus();
  return FailedPrecondition("{}: the key in {} is not the one that this journal was begun with", db.path(), key_path);
}

absl::Status CheckPins(SqliteConnection& db, int64_t* pins) {
  return db.Query("SELECT hash, kind, content FROM pins", [&](const SqliteRow& row) -> absl::Status {
    ++*pins;
    if (Sha256Hex(row.Blob(2)) == row.Text(0)) return absl::OkStatus();
    return DataLoss("{}: the {} kept as pin {} was changed: its content has another hash", db.path(), row.Text(1),
                    row.Text(0));
  });
}

absl::Status CheckStructure(SqliteConnection& db) {
  OMNIX_ASSIGN_OR_RETURN(const auto result, db.Text("PRAGMA integrity_check(1)"));
  if (result == "ok") return absl::OkStatus();
  return DataLoss("{}: the database is damaged: {}", db.path(), result.value_or("no answer"));
}

absl::Status CheckAll(SqliteConnection& db, Sealer& sealer, JournalReport* report) {
  ChainWalk walk(db, sealer);
  absl::Status status =
      db.Query("SELECT id, incident, sequence, type, text, payload, chain, time FROM events ORDER BY id",
               [&](const SqliteRow& row) {
                 ++report->events;
                 return walk.Row(row);
               });
  report->last_id = walk.last().id;
  if (!status.ok()) return Annotate(status, fmt::format("after row {} of the journal: ", walk.last().id));
  OMNIX_ASSIGN_OR_RETURN(const Head head, ReadHead(db, sealer));
  OMNIX_RETURN_IF_ERROR(walk.End(head));
  OMNIX_RETURN_IF_ERROR(CheckPins(db, &report->pins));
  OMNIX_RETURN_IF_ERROR(CheckStructure(db));
  OMNIX_ASSIGN_OR_RETURN(report->incidents, db.Integer("SELECT count(*) FROM incidents"));
  return absl::OkStatus();
}

absl::StatusOr<int64_t> ReplayAll(SqliteConnection& db) {
  // Bounds what the projector holds of touched incidents.
  constexpr int64_t kFlushEvery = 10'000;
  Projector projector(db);
  int64_t events = 0;
  OMNIX_RETURN_IF_ERROR(
      db.Query("SELECT id, payload FROM events ORDER BY id", [&](const SqliteRow& row) -> absl::Status {
        v1::Event event;
        if (!event.ParseFromString(row.Blob(1))) {
          return DataLoss("{}: the event in row {} can't be read: run `omnix journal verify`", db.path(),
                          row.Integer(0));
        }
        const absl::Status applied = projector.Apply(row.Integer(0), event);
        return applied.ok() && ++events % kFlushEvery == 0 ? projector.Flush() : applied;
      }));
  OMNIX_RETURN_IF_ERROR(projector.Flush());
  OMNIX_RETURN_IF_ERROR(projector.AddRepeats());
  return events;
}

absl::Status CopyTo(SqliteConnection& source, const std::string& destination) {
  OMNIX_ASSIGN_OR_RETURN(auto copy, SqliteConnection::Open(destination, SqliteConnection::Access::kReadWrite));
  try {
    SQLite::Backup backup(copy->database(), source.database());
    // In one step: one read transaction, so that a writer can't make it start again and again. The writer is not held
    // up by it.
    const int code = backup.executeStep(-1);
    if (code != SQLITE_DONE) return copy->Error(code, "the backup did not end");
  } catch (const SQLite::Exception& e) {
    return copy->Error(e.getExtendedErrorCode(), e.what());
  }
  // No write-ahead log beside it: the copy is one file, readable on read-only media.
  return copy->Execute("PRAGMA journal_mode = DELETE");
}

}  // namespace

absl::StatusOr<JournalReport> VerifyJournal(const std::string& path, const std::string& key_path) {
  OMNIX_ASSIGN_OR_RETURN(auto db, OpenExisting(path));
  OMNIX_ASSIGN_OR_RETURN(const std::string key, LoadJournalKey(key_path, /*create=*/false));
  Sealer sealer(key);
  JournalReport report;
  report.sqlite_version = sqlite3_libversion();
  // One view of everything, while a writer may go on.
  OMNIX_RETURN_IF_ERROR(db->Run("BEGIN"));
  OMNIX_RETURN_IF_ERROR(CheckKey(*db, sealer, key_path));
  OMNIX_RETURN_IF_ERROR(CheckAll(*db, sealer, &report));
  return report;
}

absl::StatusOr<int64_t> RebuildProjections(const std::string& path) {
  if (!Exists(path)) return NotFound("{}: there is no such journal", path);
  OMNIX_ASSIGN_OR_RETURN(auto lock, FileLock::Take(path));
  OMNIX_RETURN_IF_ERROR(OpenExisting(path).status());
  OMNIX_ASSIGN_OR_RETURN(auto db, SqliteConnection::Open(path, SqliteConnection::Access::kReadWrite));
  OMNIX_RETURN_IF_ERROR(db->Execute("PRAGMA synchronous = FULL; PRAGMA mmap_size = 0"));
  int64_t events = 0;
  const absl::Status status = InTransaction(*db, [&]() -> absl::Status {
    OMNIX_RETURN_IF_ERROR(RecreateProjections(*db));
    OMNIX_ASSIGN_OR_RETURN(events, ReplayAll(*db));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return events;
}

absl::Status BackupJournal(const std::string& path, const std::string& destination) {
  OMNIX_ASSIGN_OR_RETURN(auto source, OpenExisting(path));
  if (Exists(destination)) return AlreadyExists("{}: exists already; a backup never overwrites a file", destination);
  absl::Status status = CopyTo(*source, destination);
  if (!status.ok()) unlink(destination.c_str());
  return status;
}

}  // namespace omnix
