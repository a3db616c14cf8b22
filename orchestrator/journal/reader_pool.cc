#include "orchestrator/journal/reader_pool.h"

#include <sqlite3.h>

namespace omnix {

// Eight of them with SQLite's usual cache of 2 MiB would hold 16 MiB for good; what is read is seldom read again.
absl::StatusOr<std::unique_ptr<SqliteConnection>> OpenReader(const std::string& path, const std::string& vfs) {
  OMNIX_ASSIGN_OR_RETURN(auto db, SqliteConnection::Open(path, SqliteConnection::Access::kReadOnly, vfs));
  sqlite3_db_config(db->database().getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  OMNIX_RETURN_IF_ERROR(db->Execute("PRAGMA query_only = ON; PRAGMA mmap_size = 0; PRAGMA cache_size = -512"));
  return db;
}

namespace {

// Ends the connection's statements once the deadline is over.
class ReadDeadline {
 public:
  ReadDeadline(SqliteConnection& db, std::chrono::steady_clock::duration longest)
      : db_(db.database().getHandle()), deadline_(std::chrono::steady_clock::now() + longest) {
    sqlite3_progress_handler(
        db_, kStepsBetweenChecks,
        [](void* self) {
          auto& deadline = *static_cast<ReadDeadline*>(self);
          deadline.over_ = std::chrono::steady_clock::now() > deadline.deadline_;
          return deadline.over_ ? 1 : 0;
        },
        this);
  }
  ~ReadDeadline() { sqlite3_progress_handler(db_, 0, nullptr, nullptr); }
  ReadDeadline(const ReadDeadline&) = delete;
  ReadDeadline& operator=(const ReadDeadline&) = delete;

  bool over() const { return over_; }

 private:
  // Of SQLite's machine: about a tenth of a millisecond.
  static constexpr int kStepsBetweenChecks = 10'000;

  sqlite3* const db_;
  const std::chrono::steady_clock::time_point deadline_;
  bool over_ = false;
};

}  // namespace

absl::Status ReaderPool::With(const std::function<absl::Status(SqliteConnection& db)>& body) {
  auto borrowed = Borrow();
  absl::Status status = borrowed.status();
  if (status.ok()) {
    const ReadDeadline deadline(**borrowed, longest_read_);
    status = body(**borrowed);
    if (!status.ok() && deadline.over()) {
      status =
          Unavailable("{}: a read took longer than {} ms and was ended: ask for less", path_, longest_read_.count());
    }
  }
  Return(status.ok() ? *std::move(borrowed) : nullptr);
  return status;
}

absl::StatusOr<std::unique_ptr<SqliteConnection>> ReaderPool::Borrow() {
  {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [this] { return lent_ < kMaxReaders && !held_back_; });
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
  returned_.notify_all();
}

absl::Status ReaderPool::WithoutReaders(const std::function<absl::Status()>& body) {
  {
    std::unique_lock lock(mutex_);
    held_back_ = true;
    returned_.wait_for(lock, longest_read_, [this] { return lent_ == 0; });
  }
  const absl::Status status = body();
  {
    std::lock_guard lock(mutex_);
    held_back_ = false;
  }
  returned_.notify_all();
  return status;
}

}  // namespace omnix
