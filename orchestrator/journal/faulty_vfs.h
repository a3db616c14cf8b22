// A disk that fails, for tests: an SQLite VFS over the system's own that fails the Nth write, truncation or sync, and
// that knows what would be on the disk after a power loss at this moment.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace omnix {

// Registered under its name while it lives. Thread-safe.
class FaultyVfs {
 public:
  explicit FaultyVfs(const std::string& name);
  ~FaultyVfs();

  const std::string& name() const { return name_; }

  // The `n`th changing operation from now on (1: the next one) returns `code`, such as SQLITE_IOERR_FSYNC; those after
  // it succeed.
  void FailOperation(int n, int code);
  // Changing operations so far.
  int operations();

  // Writes the files as a power loss would leave them into `folder` (which exists): everything that was synced, and of
  // what was not, some writes whole, some torn, some lost, as `seed` has it.
  void LosePower(const std::string& folder, uint64_t seed);

  // For tests of the test: syncs do nothing.
  void IgnoreSyncs() { ignore_syncs_ = true; }

  // Called by the VFS's methods. SQLITE_OK, or the code that the operation is to fail with.
  int Write(const std::string& path, int64_t offset, const std::string& bytes);
  int Truncate(const std::string& path, int64_t size);
  int Sync(const std::string& path);
  void Remove(const std::string& path);

 private:
  struct Change {
    bool truncation;
    int64_t offset;
    std::string bytes;
  };
  struct File {
    std::string durable;
    std::vector<Change> pending;
  };
  int Count();
  static void Apply(const Change& change, std::string* content);

  const std::string name_;
  sqlite3_vfs vfs_;
  std::mutex mutex_;
  int operations_ = 0;
  int failing_operation_ = 0;
  int code_ = SQLITE_OK;
  bool ignore_syncs_ = false;
  std::map<std::string, File> files_;
};

}  // namespace omnix
