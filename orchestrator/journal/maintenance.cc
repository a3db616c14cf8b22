#include "orchestrator/journal/maintenance.h"

#include <SQLiteCpp/Backup.h>
#include <omnix/v1/event.pb.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <set>
#include <unordered_map>

#include "common/hash.h"
#include "common/time.h"
#include "orchestrator/journal/chain_walk.h"
#include "orchestrator/journal/existing_journal.h"
#include "orchestrator/journal/file_lock.h"
#include "orchestrator/journal/journal_end.h"
#include "orchestrator/journal/names.h"
#include "orchestrator/journal/projection.h"
#include "orchestrator/journal/pruned_ranges.h"
#include "orchestrator/journal/schema.h"

namespace omnix {
namespace {

// A pin as the events name it: what it is there (equal contents of two kinds have one hash), and for which incident.
struct NamedPin {
  std::set<std::string> kinds;
  std::string incident;
};

// Checks what the chain alone does not say of a row, and which pins the incidents name.
class EventCheck {
 public:
  EventCheck(SqliteConnection& db, Sealer& sealer) : db_(db), walk_(db, sealer) {}

  absl::Status Row(const SqliteRow& row) {
    const std::string payload = row.Blob(5);
    if (const absl::Status status = walk_.Row(row.Integer(0), payload, row.Text(4), row.Blob(6)); !status.ok()) {
      return absl::IsDataLoss(status) ? Bad(row, Message(status)) : status;
    }
    // The chain covers payload and text; the other columns must say what the payload says.
    v1::Event event;
    if (!event.ParseFromString(payload) || event.incident_id() != row.Text(1) || !BelongsToItsStory(row) ||
        static_cast<int64_t>(event.sequence()) != row.Integer(2) || EventTypeName(event.kind_case()) != row.Text(3) ||
        FormatTime(event.time()) != row.Text(7)) {
      return Bad(row, "its columns were changed: they are not what its payload says");
    }
    const v1::Pins& pins = event.incident_opened().pins();
    NamePin(pins.playbook_hash(), "playbook", event.incident_id());
    NamePin(pins.system_hash(), "system", event.incident_id());
    NamePin(pins.policy_hash(), "policy", event.incident_id());
    return absl::OkStatus();
  }

  // With the ninth column, events.opened_event, which old journals don't have: a story is found by the number of its
  // first row, and one with another number would be in none.
  void CheckStories() { has_stories_ = true; }

  ChainWalk& walk() { return walk_; }
  // By hash.
  const std::map<std::string, NamedPin>& named_pins() const { return named_pins_; }

 private:
  void NamePin(const std::string& hash, const std::string& kind, const std::string& incident) {
    if (hash.empty()) return;
    NamedPin& pin = named_pins_[hash];
    pin.kinds.insert(kind);
    pin.incident = incident;
  }

  bool BelongsToItsStory(const SqliteRow& row) {
    if (!has_stories_) return true;
    const int64_t opened_event = row.Integer(8);
    if (row.Integer(2) == 1 && opened_event == row.Integer(0)) stories_[opened_event] = row.Text(1);
    const auto story = stories_.find(opened_event);
    return story != stories_.end() && story->second == row.Text(1);
  }

  absl::Status Bad(const SqliteRow& row, const std::string& what) const {
    return DataLoss("{}: row {} (incident {}, sequence {}): {}", db_.path(), row.Integer(0), row.Text(1),
                    row.Integer(2), what);
  }

  SqliteConnection& db_;
  ChainWalk walk_;
  std::map<std::string, NamedPin> named_pins_;
  bool has_stories_ = false;
  // Incidents by the row of their first event.
  std::unordered_map<int64_t, std::string> stories_;
};

absl::Status CheckPins(SqliteConnection& db, std::map<std::string, NamedPin> named, int64_t* pins) {
  OMNIX_RETURN_IF_ERROR(db.Query("SELECT hash, kind, content FROM pins", [&](const SqliteRow& row) -> absl::Status {
    ++*pins;
    const auto pin = named.extract(row.Text(0));
    if (Sha256Hex(row.Blob(2)) != row.Text(0)) {
      return DataLoss("{}: the {} kept as pin {} was changed: its content has another hash", db.path(), row.Text(1),
                      row.Text(0));
    }
    if (pin.empty() || pin.mapped().kinds.contains(row.Text(1))) return absl::OkStatus();
    return DataLoss("{}: pin {} was changed: it is called a {}, incident {} runs by it as another thing", db.path(),
                    row.Text(0), row.Text(1), pin.mapped().incident);
  }));
  if (named.empty()) return absl::OkStatus();
  return DataLoss("{}: pin {}, which incident {} runs by, is gone", db.path(), named.begin()->first,
                  named.begin()->second.incident);
}

absl::Status CheckStructure(SqliteConnection& db) {
  OMNIX_ASSIGN_OR_RETURN(const auto result, db.Text("PRAGMA integrity_check(1)"));
  const std::string answer = result.value_or("no answer");
  if (answer == "ok") return absl::OkStatus();
  return DataLoss("{}: the database is damaged: {}", db.path(), answer);
}

absl::Status CheckAll(SqliteConnection& db, Sealer& sealer, JournalReport* report) {
  EventCheck check(db, sealer);
  OMNIX_ASSIGN_OR_RETURN(const bool has_stories, HasStoryNumbers(db));
  if (has_stories) check.CheckStories();
  const absl::Status status = db.Query(
      has_stories
          ? "SELECT id, incident, sequence, type, text, payload, chain, time, opened_event FROM events ORDER BY id"
          : "SELECT id, incident, sequence, type, text, payload, chain, time FROM events ORDER BY id",
      [&](const SqliteRow& row) {
        ++report->events;
        return check.Row(row);
      });
  ChainWalk& walk = check.walk();
  if (!status.ok()) return Annotate(status, fmt::format("after row {} of the journal: ", walk.last().id));
  OMNIX_ASSIGN_OR_RETURN(const Head head, ReadHead(db, sealer));
  OMNIX_RETURN_IF_ERROR(walk.End(head));
  report->last_id = walk.last().id;
  report->pruned = walk.pruned_rows();
  OMNIX_ASSIGN_OR_RETURN(const int64_t ranges, CountPruned(db));
  if (ranges != walk.pruned_ranges()) {
    return DataLoss("{}: there are {} records of pruned rows, where rows are missing in {} places", db.path(), ranges,
                    walk.pruned_ranges());
  }
  OMNIX_RETURN_IF_ERROR(CheckPins(db, check.named_pins(), &report->pins));
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
      db.Query("SELECT id, opened_event, payload FROM events ORDER BY id", [&](const SqliteRow& row) -> absl::Status {
        v1::Event event;
        if (!event.ParseFromString(row.Blob(2))) {
          return DataLoss("{}: the event in row {} can't be read: run `omnix journal verify`", db.path(),
                          row.Integer(0));
        }
        const absl::Status applied = projector.Apply(row.Integer(0), row.Integer(1), event);
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
    // This one knows no extended code.
    return copy->Error(e.getErrorCode(), e.what());
  }
  // No write-ahead log beside it: the copy is one file, readable on read-only media.
  return copy->Execute("PRAGMA journal_mode = DELETE");
}

absl::Status Copy(SqliteConnection& source, const std::string& destination) {
  struct stat info;
  if (lstat(destination.c_str(), &info) == 0) {
    return AlreadyExists("{}: exists already; a backup never overwrites a file", destination);
  }
  absl::Status status = CopyTo(source, destination);
  if (!status.ok()) {
    for (const char* suffix : {"", "-journal", "-wal", "-shm"}) unlink((destination + suffix).c_str());
  }
  return status;
}

}  // namespace

absl::StatusOr<JournalReport> VerifyJournal(const std::string& path, const std::string& key_path) {
  OMNIX_ASSIGN_OR_RETURN(auto db, OpenExistingToRead(path));
  OMNIX_ASSIGN_OR_RETURN(const std::string key, LoadJournalKey(key_path, /*create=*/false));
  Sealer sealer(key);
  JournalReport report;
  // One view of everything, while a writer may go on.
  OMNIX_RETURN_IF_ERROR(db->Run("BEGIN"));
  absl::Status status = CheckJournalKey(*db, sealer, key_path);
  if (status.ok()) status = CheckAll(*db, sealer, &report);
  if (status.ok()) return report;
  // A statement that does not fit the tables.
  return absl::IsInternal(status) ? DataLoss("the schema was changed or damaged: {}", Message(status)) : status;
}

absl::StatusOr<int64_t> RebuildProjections(const std::string& path) {
  // Before the lock, which would leave a lock file beside what is no journal.
  OMNIX_RETURN_IF_ERROR(OpenExistingToRead(path).status());
  OMNIX_ASSIGN_OR_RETURN(auto lock, FileLock::Take(path));
  OMNIX_ASSIGN_OR_RETURN(auto db, OpenExistingToWrite(path));
  int64_t events = 0;
  const absl::Status rebuilt = InTransaction(*db, [&]() -> absl::Status {
    OMNIX_RETURN_IF_ERROR(MigrateWithoutProjections(*db));
    OMNIX_RETURN_IF_ERROR(RecreateProjections(*db));
    OMNIX_ASSIGN_OR_RETURN(events, ReplayAll(*db));
    return absl::OkStatus();
  });
  if (!rebuilt.ok()) return rebuilt;
  return events;
}

absl::Status BackupJournal(const std::string& path, const std::string& destination) {
  OMNIX_ASSIGN_OR_RETURN(auto source, OpenExistingToRead(path));
  return Copy(*source, destination);
}

absl::StatusOr<bool> BackupSilences(const std::string& path, const std::string& destination) {
  if (!std::filesystem::exists(path)) return false;
  OMNIX_ASSIGN_OR_RETURN(auto source, SqliteConnection::Open(path, SqliteConnection::Access::kReadOnly));
  OMNIX_RETURN_IF_ERROR(Copy(*source, destination));
  return true;
}

SqliteVersion LinkedSqlite() {
  // Both ends of the versions with the bug, as SQLite numbers them.
  constexpr int kFirstWithWalReset = 3'007'000;
  constexpr int kWalResetFixed = 3'051'003;
  const int number = sqlite3_libversion_number();
  return {sqlite3_libversion(), number >= kFirstWithWalReset && number < kWalResetFixed};
}

}  // namespace omnix
