// One connection to an SQLite file: statements prepared once, errors as absl::Status that name the file and the cause.
//
//   OMNIX_RETURN_IF_ERROR(db.Run("UPDATE tasks SET state = ?1 WHERE id = ?2", state, id));
//   OMNIX_RETURN_IF_ERROR(db.Query("SELECT id FROM tasks WHERE state = ?1", [&](const SqliteRow& row) {
//     ids.push_back(row.Text(0));
//     return absl::OkStatus();
//   }, state));
//
// Errors of every call: UNAVAILABLE (disk full, locked, read-only, I/O, no memory: the message says which), DATA_LOSS
// (no SQLite database, or a corrupt page), INTERNAL (a statement that does not fit the schema). Not thread-safe: one
// thread at a time.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <unordered_map>

#include "absl/status/statusor.h"
#include "common/status.h"

namespace omnix {

// A value bound as BLOB instead of TEXT. Refers to `bytes`.
struct SqliteBlob {
  const std::string& bytes;
};

// A row of a result, valid during the callback.
class SqliteRow {
 public:
  explicit SqliteRow(SQLite::Statement& statement) : statement_(statement) {}
  std::string Text(int column) const { return Bytes(column); }
  std::string Blob(int column) const { return Bytes(column); }
  // Valid until the next row.
  std::string_view BlobView(int column) const {
    const SQLite::Column value = statement_.getColumn(column);
    const auto* bytes = static_cast<const char*>(value.getBlob());
    return bytes == nullptr ? std::string_view() : std::string_view(bytes, static_cast<size_t>(value.getBytes()));
  }
  int64_t Integer(int column) const { return statement_.getColumn(column).getInt64(); }
  bool IsNull(int column) const { return statement_.getColumn(column).isNull(); }
  int columns() const { return statement_.getColumnCount(); }

 private:
  std::string Bytes(int column) const { return statement_.getColumn(column).getString(); }
  SQLite::Statement& statement_;
};

class SqliteConnection {
 public:
  enum class Access { kReadOnly, kReadWrite };

  // `path` may be ":memory:". kReadWrite creates the file where there is none. `vfs` names a registered SQLite VFS;
  // empty: the system's own.
  static absl::StatusOr<std::unique_ptr<SqliteConnection>> Open(const std::string& path, Access access,
                                                                const std::string& vfs = "");

  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  // One or more statements without results, such as a script of DDL.
  absl::Status Execute(const std::string& sql);

  // A statement without rows. `sql` must live as long as the connection (a string literal): the statement is prepared
  // once and kept under its address. Arguments: integers, std::string, SqliteBlob, std::nullopt (NULL), std::optional
  // of these.
  template <typename... Args>
  absl::Status Run(const char* sql, const Args&... args) {
    return Query(sql, nullptr, args...);
  }

  using RowCallback = std::function<absl::Status(const SqliteRow& row)>;

  // Calls `row` for each row; an error that it returns ends the query and is returned.
  template <typename... Args>
  absl::Status Query(const char* sql, const RowCallback& row, const Args&... args) {
    try {
      SQLite::Statement& statement = Prepared(sql);
      [[maybe_unused]] int index = 0;
      (Bind(statement, ++index, args), ...);
      return Step(statement, row);
    } catch (const SQLite::Exception& e) {
      return Error(e.getExtendedErrorCode(), e.what());
    }
  }

  // The single value of a statement (or pragma) with one row; 0 where there is none or NULL.
  template <typename... Args>
  absl::StatusOr<int64_t> Integer(const char* sql, const Args&... args) {
    int64_t value = 0;
    OMNIX_RETURN_IF_ERROR(Query(
        sql,
        [&value](const SqliteRow& row) {
          value = row.Integer(0);
          return absl::OkStatus();
        },
        args...));
    return value;
  }

  // The same as text; nullopt where there is no row.
  template <typename... Args>
  absl::StatusOr<std::optional<std::string>> Text(const char* sql, const Args&... args) {
    std::optional<std::string> value;
    OMNIX_RETURN_IF_ERROR(Query(
        sql,
        [&value](const SqliteRow& row) {
          value = row.Text(0);
          return absl::OkStatus();
        },
        args...));
    return value;
  }

  // Rows that the last Run changed.
  int changes() const { return database_.getChanges(); }

  const std::string& path() const { return path_; }
  SQLite::Database& database() { return database_; }

  // An SQLite result code as a status that names the file and, for I/O errors, the system's own error.
  absl::Status Error(int extended_code, const std::string& text);

 private:
  SqliteConnection(const std::string& path, int flags, const std::string& vfs);

  SQLite::Statement& Prepared(const char* sql);
  absl::Status Step(SQLite::Statement& statement, const RowCallback& row);

  static void Bind(SQLite::Statement& statement, int index, const std::string& value) {
    statement.bindNoCopy(index, value);
  }
  static void Bind(SQLite::Statement& statement, int index, const SqliteBlob& value) {
    statement.bindNoCopy(index, value.bytes.data(), static_cast<int>(value.bytes.size()));
  }
  static void Bind(SQLite::Statement& statement, int index, std::nullopt_t) { statement.bind(index); }
  template <typename T>
  static void Bind(SQLite::Statement& statement, int index, const std::optional<T>& value) {
    if (value) {
      Bind(statement, index, *value);
    } else {
      statement.bind(index);
    }
  }
  template <typename T>
  requires std::is_integral_v<T>
  static void Bind(SQLite::Statement& statement, int index, T value) {
    statement.bind(index, static_cast<int64_t>(value));
  }

  std::string path_;
  SQLite::Database database_;
  std::unordered_map<const char*, SQLite::Statement> statements_;
};

// Settings of the library for the whole process; before its first use, which SqliteConnection::Open sees to for itself.
// Thread-safe.
void ConfigureSqliteOnce();

// Runs `body` in one transaction (BEGIN IMMEDIATE): committed where it returns OK, rolled back otherwise.
absl::Status InTransaction(SqliteConnection& db, const std::function<absl::Status()>& body);

}  // namespace omnix
