// Read-only connections to the journal, lent to one thread at a time.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "orchestrator/journal/sqlite_connection.h"

namespace omnix {

// Thread-safe.
class ReaderPool {
 public:
  ReaderPool(std::string path, std::string vfs) : path_(std::move(path)), vfs_(std::move(vfs)) {}

  // Runs `body` with a connection; waits while kMaxReaders are lent. A connection whose body failed is closed.
  absl::Status With(const std::function<absl::Status(SqliteConnection& db)>& body);

 private:
  static constexpr size_t kMaxReaders = 8;

  absl::StatusOr<std::unique_ptr<SqliteConnection>> Borrow();
  void Return(std::unique_ptr<SqliteConnection> connection);

  const std::string path_;
  const std::string vfs_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<SqliteConnection>> idle_;
  size_t lent_ = 0;
};

// Opens a connection that only reads: never checkpoints, not even when it is the last to close.
absl::StatusOr<std::unique_ptr<SqliteConnection>> OpenReader(const std::string& path, const std::string& vfs = "");

}  // namespace omnix
