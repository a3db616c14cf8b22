// Read-only connections to the journal, lent to one thread at a time.
#pragma once

#include <chrono>
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
  // Omnix's own read transactions end within this: while one lasts, the write-ahead log grows.
  static constexpr std::chrono::milliseconds kLongestRead{5'000};

  ReaderPool(std::string path, std::string vfs, std::chrono::milliseconds longest_read = kLongestRead)
      : path_(std::move(path)), vfs_(std::move(vfs)), longest_read_(longest_read) {}

  // Runs `body` with a connection; waits while kMaxReaders are lent. A connection whose body failed is closed. A
  // statement that still runs after `longest_read` is ended: UNAVAILABLE.
  absl::Status With(const std::function<absl::Status(SqliteConnection& db)>& body);

  // Runs `body` while no connection is lent: those who ask for one wait meanwhile. Where one is not given back within
  // `longest_read`, `body` runs all the same.
  absl::Status WithoutReaders(const std::function<absl::Status()>& body);

 private:
  static constexpr size_t kMaxReaders = 8;

  absl::StatusOr<std::unique_ptr<SqliteConnection>> Borrow();
  void Return(std::unique_ptr<SqliteConnection> connection);

  const std::string path_;
  const std::string vfs_;
  const std::chrono::milliseconds longest_read_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<SqliteConnection>> idle_;
  size_t lent_ = 0;
  bool held_back_ = false;
};

// Opens a connection that only reads: never checkpoints, not even when it is the last to close.
absl::StatusOr<std::unique_ptr<SqliteConnection>> OpenReader(const std::string& path, const std::string& vfs = "");

}  // namespace omnix
