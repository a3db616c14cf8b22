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
  // The disk is full from the `n`th changing operation on, until Heal.
  void FillUpAt(int n);
  void Heal();
  // Changing operations so far.
  int operations();

  // The `n`th call of any kind from now on (reads and questions for the size as well) returns an input/output error.
  void FailCall(int n);
  // Calls of any kind so far.
  int calls();

  // Files that are opened without naming a VFS are on this disk, too.
  void BecomeDefault();

  // Writes the files as a power loss would leave them into `folder` (which exists): everything that was synced, and of
  // what was not, some writes whole, some torn, some lost, as `seed` has it.
  void LosePower(const std::string& folder, uint64_t seed);
  // The same as the `n`th changing operation from now on begins; that and all later ones fail.
  void LosePowerAt(int n, const std::string& folder, uint64_t seed);

  // It promises no longer, as the system's own VFS does, that a torn write leaves the bytes beside it alone: SQLite
  // must do all by itself.
  void PromiseNothing() { promises_ = 0; }

  // For tests of the test: syncs do nothing.
  void IgnoreSyncs() { ignore_syncs_ = true; }
  // SQLite keeps the `synchronous` that its connections were opened with, and says FULL where it is asked.
  void LieAboutSynchronous() { lie_about_synchronous_ = true; }

  // Called by the VFS's methods. SQLITE_OK, or the code that the operation is to fail with.
  int Write(const std::string& path, int64_t offset, const std::string& bytes);
  int Truncate(const std::string& path, int64_t size);
  int Sync(const std::string& path);
  void Remove(const std::string& path);
  // For a call that changes nothing.
  int Read();
  int Pragma(char** arguments);
  int Promises() const { return promises_; }

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
  int CountCall();
  void WriteRemains(const std::string& folder, uint64_t seed);
  static void Apply(const Change& change, std::string* content);

  const std::string name_;
  sqlite3_vfs vfs_;
  std::mutex mutex_;
  int operations_ = 0;
  int failing_operation_ = 0;
  int code_ = SQLITE_OK;
  int full_from_ = 0;
  int calls_ = 0;
  int failing_call_ = 0;
  int power_lost_at_ = 0;
  std::string remains_;
  uint64_t seed_ = 0;
  int promises_ = SQLITE_IOCAP_POWERSAFE_OVERWRITE;
  bool lie_about_synchronous_ = false;
  bool ignore_syncs_ = false;
  std::map<std::string, File> files_;
};

}  // namespace omnix
