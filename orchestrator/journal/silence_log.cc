#include "orchestrator/journal/silence_log.h"

#include "common/json.h"
#include "common/status.h"

namespace omnix {

absl::StatusOr<std::unique_ptr<SilenceLog>> SilenceLog::Open(const std::string& path) {
  OMNIX_ASSIGN_OR_RETURN(auto db, SqliteConnection::Open(path, SqliteConnection::Access::kReadWrite));
  OMNIX_RETURN_IF_ERROR(
      db->Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                  "CREATE TABLE IF NOT EXISTS silence_events (sequence INTEGER PRIMARY KEY AUTOINCREMENT, "
                  "payload BLOB NOT NULL) STRICT"));
  return std::unique_ptr<SilenceLog>(new SilenceLog(std::move(db)));
}

absl::Status SilenceLog::Append(const std::vector<v1::SilenceEvent>& events) {
  return InTransaction(*db_, [&] {
    for (const auto& event : events) {
      const std::string payload = SerializeDeterministically(event);
      OMNIX_RETURN_IF_ERROR(db_->Run("INSERT INTO silence_events (payload) VALUES (?1)", SqliteBlob{payload}));
    }
    return absl::OkStatus();
  });
}

absl::Status SilenceLog::Read(const std::function<void(const v1::SilenceEvent&)>& visit) {
  return db_->Query("SELECT payload, sequence FROM silence_events ORDER BY sequence", [&](const SqliteRow& row) {
    v1::SilenceEvent event;
    if (!event.ParseFromString(row.Blob(0))) {
      return absl::Status(
          DataLoss("{}: event {} can't be read; restore the file from a backup", db_->path(), row.Integer(1)));
    }
    visit(event);
    return absl::OkStatus();
  });
}

}  // namespace omnix
