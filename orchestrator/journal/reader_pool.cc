#include "orchestrator/journal/reader_pool.h"

#include <sqlite3.h>

namespace omnix {

absl::StatusOr<std::unique_ptr<SqliteConnection>> OpenReader(const std::string& path, const std::string& vfs) {
  OMNIX_ASSIGN_OR_RETURN(auto db, SqliteConnection::Open(path, SqliteConnection::Access::kReadOnly, vfs));
  sqlite3_db_config(db->database().getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  OMNIX_RETURN_IF_ERROR(db->Execute("PRAGMA query_only = ON; PRAGMA mmap_size = 0"));
  return db;
}

absl::Status ReaderPool::With(const std::function<absl::Status(SqliteConnection& db)>& body) {
  auto borrowed = Borrow();
  absl::Status status = borrowed.status();
  if (status.ok()) status = body(**borrowed);
  Return(status.ok() ? *std::move(borrowed) : nullptr);
  return status;
}

absl::StatusOr<std::unique_ptr<SqliteConnection>> ReaderPool::Borrow() {
  {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [this] { return lent_ < kMaxReaders; });
    ++lent_;
    if (!idle_.empty()) {
      auto connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  return OpenReader(path_, vfs_);
}

void ReaderPool::Return(std::unique_ptr<SqliteConnection> connection) {
  {
    std::lock_guard lock(mutex_);
    --lent_;
    if (connection) idle_.push_back(std::move(connection));
  }
  returned_.notify_one();
}

}  // namespace omnix
