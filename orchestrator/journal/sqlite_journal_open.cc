// How the journal is opened: made where it is absent, checked, brought up to date, and opened again after a failure.
#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/crash_point.h"
#include "orchestrator/journal/journal_end.h"
#include "orchestrator/journal/schema.h"
#include "orchestrator/journal/sqlite_journal.h"

namespace omnix {
namespace {

constexpr mode_t kJournalMode = 0640;
// As SQLite numbers its levels.
constexpr int64_t kSynchronousFull = 2;
// Checkpoints are Maintain()'s: SQLite's own would stall the commit that they follow, and hide their errors. The cache
// (8 MiB) holds the pages of what is in flight: with SQLite's own 2 MiB each fifth page is read again.
constexpr const char* kSetUpScript =
    "PRAGMA synchronous = FULL; PRAGMA mmap_size = 0; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -8192; "
    // What a statement would undo, were it to fail: in files it is most of what a flood of alerts writes.
    "PRAGMA temp_store = MEMORY; "
    "PRAGMA journal_size_limit = 16777216; PRAGMA foreign_keys = OFF; PRAGMA trusted_schema = OFF";
static_assert(kWalFileKeptBytes == 16777216);

// Makes the file with a mode of our own choice; SQLite gives it to the files beside it.
absl::Status MakeFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kJournalMode);
  if (fd >= 0) {
    close(fd);
    return absl::OkStatus();
  }
  if (errno == EEXIST) return absl::OkStatus();
  return Unavailable("{}: the journal can't be created: {}", path, std::strerror(errno));
}

// Asked before SQLite is: it would make the files beside with the mode of one that can't be written, and those would
// stay so when that has its permission back.
absl::Status CheckPermissions(const std::string& path) {
  const std::string folder = path.substr(0, path.rfind('/') + 1);
  for (const std::string& file : {folder.empty() ? "." : folder, path, path + "-wal", path + "-shm"}) {
    if (faccessat(AT_FDCWD, file.c_str(), R_OK | W_OK, AT_EACCESS) == 0 || (errno != EACCES && errno != EPERM))
      continue;
    return PermissionDenied("{}: {}: the user that omnixd runs as must be able to read and write it", file,
                            std::strerror(errno));
  }
  return absl::OkStatus();
}

bool HasContent(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && info.st_size > 0;
}

// Looks at the file through a read-only connection, so that one that is refused stays as it is.
absl::Status CheckBeforeWriting(const SqliteJournalOptions& options) {
  // A crash while the file was made left a rollback journal: only a connection that may write can bring the file in
  // order. It is checked there.
  struct stat info;
  if (stat((options.path + "-journal").c_str(), &info) == 0) return absl::OkStatus();
  OMNIX_ASSIGN_OR_RETURN(auto db, OpenReader(options.path, options.vfs));
  return CheckReadable(*db);
}

}  // namespace

SqliteJournal::SqliteJournal(SqliteJournalOptions options, std::unique_ptr<FileLock> lock)
    : options_(std::move(options)),
      lock_(std::move(lock)),
      readers_(options_.path, options_.vfs),
      wal_guard_(options_.path, options_.wal_limit_bytes),
      wal_vfs_(options_.vfs) {}

SqliteJournal::~SqliteJournal() { CloseWriter(); }

absl::StatusOr<std::unique_ptr<SqliteJournal>> SqliteJournal::Open(const SqliteJournalOptions& options) {
  OMNIX_ASSIGN_OR_RETURN(auto lock, FileLock::Take(options.path));
  OMNIX_RETURN_IF_ERROR(CheckPermissions(options.path));
  const bool existing = HasContent(options.path);
  if (existing) OMNIX_RETURN_IF_ERROR(CheckBeforeWriting(options));
  auto key = LoadJournalKey(options.key_path, /*create=*/!existing);
  if (!key.ok()) return Annotate(key.status(), options.path + ": the key of the journal: ");
  OMNIX_CRASH_POINT("journal.key_loaded");
  if (!existing) OMNIX_RETURN_IF_ERROR(MakeFile(options.path));
  std::unique_ptr<SqliteJournal> journal(new SqliteJournal(options, std::move(lock)));
  journal->sealer_ = std::make_unique<Sealer>(*key);
  OMNIX_CRASH_POINT("journal.before_open");
  OMNIX_RETURN_IF_ERROR(journal->OpenWriter());
  return journal;
}

absl::Status SqliteJournal::OpenWriter() {
  OMNIX_RETURN_IF_ERROR(CheckPermissions(options_.path));
  OMNIX_ASSIGN_OR_RETURN(auto db,
                         SqliteConnection::Open(options_.path, SqliteConnection::Access::kReadWrite, wal_vfs_.name()));
  OMNIX_RETURN_IF_ERROR(SetUp(*db));
  OMNIX_RETURN_IF_ERROR(CheckAndMigrate(*db));
  writer_ = std::move(db);
  log_pages_ = 0;
  sqlite3_wal_hook(
      writer_->database().getHandle(),
      [](void* pages, sqlite3*, const char*, int in_log) {
        *static_cast<int*>(pages) = in_log;
        return SQLITE_OK;
      },
      &log_pages_);
  stories_.clear();
  projector_ = std::make_unique<Projector>(*writer_);
  OMNIX_CRASH_POINT("journal.opened");
  return absl::OkStatus();
}

// What this process acknowledged must still be there when it opens the file again.
absl::Status SqliteJournal::CheckNothingIsGone(const Head& found) const {
  if (found.id > head_.id || (found.id == head_.id && found.chain == head_.chain)) return absl::OkStatus();
  return DataLoss(
      "{}: events up to row {} were kept, but the file ends with row {}: another program cut it off or replaced it: "
      "stop omnixd, restore a backup",
      options_.path, head_.id, found.id);
}

absl::Status SqliteJournal::SetUp(SqliteConnection& db) {
  OMNIX_RETURN_IF_ERROR(CheckReadable(db));
  OMNIX_ASSIGN_OR_RETURN(const auto mode, db.Text("PRAGMA journal_mode = WAL"));
  if (mode != "wal") {
    return Unavailable("{}: SQLite refuses write-ahead logging (journal mode '{}'): use a local file system",
                       options_.path, mode.value_or(""));
  }
  OMNIX_RETURN_IF_ERROR(db.Execute(kSetUpScript));
  OMNIX_ASSIGN_OR_RETURN(const int64_t synchronous, db.Integer("PRAGMA synchronous"));
  if (synchronous != kSynchronousFull) {
    return FailedPrecondition("{}: SQLite does not keep synchronous=FULL (it says {}): commits would not be durable",
                              options_.path, synchronous);
  }
  OMNIX_CRASH_POINT("journal.before_checkpoint");
  OMNIX_RETURN_IF_ERROR(MoveLogIntoFile(db));
  OMNIX_CRASH_POINT("journal.checkpointed");
  return absl::OkStatus();
}

// What is refused stays as it is: an older Omnix can still open it.
absl::Status SqliteJournal::CheckAndMigrate(SqliteConnection& db) {
  OMNIX_ASSIGN_OR_RETURN(const int64_t version, db.Integer("PRAGMA user_version"));
  if (version == 0) OMNIX_RETURN_IF_ERROR(Migrate(db, JournalMigrations()));
  OMNIX_ASSIGN_OR_RETURN(const bool has_key_id, CheckKeyId(db));
  OMNIX_ASSIGN_OR_RETURN(Head head, VerifyEnd(db, *sealer_));
  OMNIX_RETURN_IF_ERROR(CheckNothingIsGone(head));
  if (!has_key_id) {
    OMNIX_RETURN_IF_ERROR(db.Run("INSERT INTO meta (key, value) VALUES ('key_id', ?1)", sealer_->KeyId()));
  }
  head_ = std::move(head);
  if (version == 0 || version == SchemaVersion()) return absl::OkStatus();
  return MigrateOld(db, version);
}

absl::Status SqliteJournal::MigrateOld(SqliteConnection& db, int64_t version) {
  spdlog::info("{}: the schema is brought from version {} to {}: this happens once, and a large journal takes a while",
               options_.path, version, SchemaVersion());
  // What it sorts may be large.
  OMNIX_RETURN_IF_ERROR(db.Execute("PRAGMA temp_store = FILE"));
  OMNIX_RETURN_IF_ERROR(Migrate(db, JournalMigrations()));
  OMNIX_RETURN_IF_ERROR(db.Execute("PRAGMA temp_store = MEMORY"));
  // It may have rewritten the whole file; the first commit should not have to move all that.
  OMNIX_ASSIGN_OR_RETURN(const bool emptied, EmptyLog(db));
  if (!emptied)
    spdlog::warn("{}: another program reads it: its write-ahead log stays large until that ends", options_.path);
  return absl::OkStatus();
}

// After a failed fsync the kernel takes the pages of the write-ahead log for clean, though they may never have reached
// the disk: a later fsync says OK, and after a power loss everything behind such a page would be unreadable,
// acknowledged rows included. So what the log holds is written into the database file (and synced) and the log begun
// anew before anything is added.
absl::Status SqliteJournal::MoveLogIntoFile(SqliteConnection& db) {
  OMNIX_ASSIGN_OR_RETURN(const bool emptied, EmptyLog(db));
  if (emptied) return absl::OkStatus();
  return Unavailable("{}: another program holds a read transaction on it: end it (an open sqlite3 shell, a backup?)",
                     options_.path);
}

// False where another program's read transaction prevents it.
absl::StatusOr<bool> SqliteJournal::EmptyLog(SqliteConnection& db) {
  int64_t busy = 0;
  OMNIX_RETURN_IF_ERROR(db.Query("PRAGMA wal_checkpoint(TRUNCATE)", [&busy](const SqliteRow& row) {
    busy = row.Integer(0);
    return absl::OkStatus();
  }));
  if (busy != 0) return false;
  wal_guard_.LogWasEmptied();
  log_pages_ = 0;
  return true;
}

// False where the journal does not say with which key it was begun.
absl::StatusOr<bool> SqliteJournal::CheckKeyId(SqliteConnection& db) {
  const std::string key_id = sealer_->KeyId();
  OMNIX_ASSIGN_OR_RETURN(const auto kept, db.Text("SELECT value FROM meta WHERE key = 'key_id'"));
  if (!kept) return false;
  if (*kept == key_id) return true;
  return FailedPrecondition(
      "{}: the key in {} is not the one that this journal was begun with: name the right key file", options_.path,
      options_.key_path);
}

void SqliteJournal::CloseWriter() {
  if (!writer_) return;
  projector_.reset();
  // After a failure nothing more is written: the log stays as it is for Reopen.
  const int keep_log = failure_.ok() ? 0 : 1;
  sqlite3_db_config(writer_->database().getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep_log, nullptr);
  writer_.reset();
  OMNIX_CRASH_POINT("journal.closed");
}

absl::Status SqliteJournal::Reopen() {
  CloseWriter();
  absl::Status status = OpenWriter();
  failure_ = status;
  return status;
}

}  // namespace omnix
