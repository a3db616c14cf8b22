#include "orchestrator/journal/sqlite_connection.h"

#include <sqlite3.h>

#include <cstring>

namespace omnix {
namespace {

// How long a statement waits for another program's lock before it fails.
constexpr int kBusyTimeoutMs = 2'000;

// The low byte of an extended result code is the primary one.
constexpr int kPrimaryCodeMask = 0xff;

const char* Cause(int primary_code) {
  switch (primary_code) {
    case SQLITE_FULL:
      return "the disk is full: free some space";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "locked: another program holds a lock on it (an open transaction of an sqlite3 shell?)";
    case SQLITE_READONLY:
      return "read-only: the file or its folder can't be written";
    case SQLITE_IOERR:
      return "input/output error";
    case SQLITE_CANTOPEN:
      return "can't be opened: check that the folder exists and its permissions";
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return "permission denied";
    case SQLITE_NOMEM:
      return "out of memory";
    case SQLITE_CORRUPT:
      return "the database is corrupt: keep the file, run `omnix journal verify`, restore a backup";
    case SQLITE_NOTADB:
      return "this is no SQLite database";
    default:
      return nullptr;
  }
}

}  // namespace

// SQLite counts its memory under one lock for all threads unless it is told otherwise; nobody asks for the counts.
void ConfigureSqliteOnce() {
  static const int code = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  static_cast<void>(code);
}

SqliteConnection::SqliteConnection(const std::string& path, int flags, const std::string& vfs)
    : path_(path), database_(path, flags, kBusyTimeoutMs, vfs) {}

absl::StatusOr<std::unique_ptr<SqliteConnection>> SqliteConnection::Open(const std::string& path, Access access,
                                                                         const std::string& vfs) {
  const int flags = access == Access::kReadOnly ? SQLite::OPEN_READONLY : SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE;
  std::unique_ptr<SqliteConnection> connection;
  ConfigureSqliteOnce();
  try {
    connection.reset(new SqliteConnection(path, flags | SQLite::OPEN_NOMUTEX, vfs));
    sqlite3_extended_result_codes(connection->database_.getHandle(), 1);
  } catch (const SQLite::Exception& e) {
    const int system_error = errno;
    const char* cause = Cause(e.getErrorCode() & kPrimaryCodeMask);
    return Unavailable("{}: {} ({})", path, cause ? cause : e.what(), std::strerror(system_error));
  }
  return connection;
}

SQLite::Statement& SqliteConnection::Prepared(const char* sql) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) found = statements_.emplace(sql, SQLite::Statement(database_, sql)).first;
  return found->second;
}

absl::Status SqliteConnection::Step(SQLite::Statement& statement, const RowCallback& row) {
  absl::Status status;
  int code = SQLITE_ROW;
  while (status.ok() && (code = statement.tryExecuteStep()) == SQLITE_ROW) {
    if (row) status = row(SqliteRow(statement));
  }
  if (code != SQLITE_ROW && code != SQLITE_DONE) {
    status = Error(sqlite3_extended_errcode(database_.getHandle()), database_.getErrorMsg());
  }
  statement.tryReset();
  return status;
}

absl::Status SqliteConnection::Execute(const std::string& sql) {
  try {
    database_.exec(sql);
    return absl::OkStatus();
  } catch (const SQLite::Exception& e) {
    return Error(e.getExtendedErrorCode(), e.what());
  }
}

absl::Status SqliteConnection::Error(int extended_code, const std::string& text) {
  const int primary = extended_code & kPrimaryCodeMask;
  const char* cause = Cause(primary);
  if (cause == nullptr) return Internal("{}: SQLite error {}: {}", path_, extended_code, text);
  std::string detail = fmt::format("SQLite {}: {}", extended_code, text);
  if (const int system_error = sqlite3_system_errno(database_.getHandle()); primary == SQLITE_IOERR && system_error) {
    detail += fmt::format(", {}", std::strerror(system_error));
  }
  const bool lost = primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
  return MakeError(lost ? absl::StatusCode::kDataLoss : absl::StatusCode::kUnavailable, "{}: {} ({})", path_, cause,
                   detail);
}

absl::Status InTransaction(SqliteConnection& db, const std::function<absl::Status()>& body) {
  OMNIX_RETURN_IF_ERROR(db.Run("BEGIN IMMEDIATE"));
  absl::Status status = body();
  if (status.ok()) status = db.Run("COMMIT");
  // The first error counts; where it already ended the transaction, there is nothing to roll back.
  if (!status.ok()) db.Execute("ROLLBACK").IgnoreError();
  return status;
}

}  // namespace omnix
