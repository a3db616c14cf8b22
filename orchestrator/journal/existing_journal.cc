#include "orchestrator/journal/existing_journal.h"

#include <sys/stat.h>

#include "orchestrator/journal/reader_pool.h"
#include "orchestrator/journal/schema.h"

namespace omnix {

absl::StatusOr<std::unique_ptr<SqliteConnection>> OpenExistingToRead(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return NotFound("{}: there is no such journal", path);
  OMNIX_ASSIGN_OR_RETURN(auto db, OpenReader(path));
  OMNIX_RETURN_IF_ERROR(CheckReadable(*db));
  OMNIX_ASSIGN_OR_RETURN(const int64_t version, db->Integer("PRAGMA user_version"));
  if (version == 0) return FailedPrecondition("{}: this is no Omnix journal", path);
  return db;
}

absl::StatusOr<std::unique_ptr<SqliteConnection>> OpenExistingToWrite(const std::string& path) {
  OMNIX_RETURN_IF_ERROR(OpenExistingToRead(path).status());
  OMNIX_ASSIGN_OR_RETURN(auto db, SqliteConnection::Open(path, SqliteConnection::Access::kReadWrite));
  OMNIX_RETURN_IF_ERROR(db->Execute("PRAGMA synchronous = FULL; PRAGMA mmap_size = 0"));
  return db;
}

absl::Status CheckJournalKey(SqliteConnection& db, Sealer& sealer, const std::string& key_path) {
  OMNIX_ASSIGN_OR_RETURN(const auto key_id, db.Text("SELECT value FROM meta WHERE key = 'key_id'"));
  if (key_id == sealer.KeyId()) return absl::OkStatus();
  return FailedPrecondition("{}: the key in {} is not the one that this journal was begun with", db.path(), key_path);
}

}  // namespace omnix
