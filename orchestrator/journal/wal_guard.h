// Keeps the journal's write-ahead log from filling the disk.
//
// What was committed is moved from the log into the database file soon after, and the log begun anew. Not where another
// program holds a read transaction: then the log grows until that ends. The guard says so in time, and refuses new work
// before the disk is full or the log too large to be moved.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "common/clock.h"

namespace omnix {

inline constexpr int64_t kDefaultWalLimitBytes = int64_t{1} << 30;
inline constexpr int64_t kMinWalLimitBytes = int64_t{16} << 20;
// SQLite cuts the log's file down to this when it begins the log anew.
inline constexpr int64_t kWalFileKeptBytes = int64_t{16} << 20;

// Not thread-safe.
class WalGuard {
 public:
  // `path` of the database file. Warns (in the process's log) from a sixteenth of the limit on, at each doubling.
  WalGuard(std::string path, int64_t limit_bytes);

  // Before a commit; costs a stat(2). Errors: UNAVAILABLE (the log is beyond the limit, or the free space of its disk
  // does not hold what must be moved into the database file; the message names the size, since when it has grown, and
  // the programs that have the file open), DATA_LOSS (somebody else cut the log off).
  absl::Status Check();

  // After the log was emptied by whoever asks.
  void LogWasEmptied() { bytes_before_ = 0; }

 private:
  std::string Describe(int64_t bytes) const;

  const std::string path_;
  const std::string wal_path_;
  const int64_t limit_bytes_;
  SystemClock clock_;
  // When the log was last seen small, or smaller than before.
  absl::Duration small_at_;
  int64_t bytes_before_ = 0;
  int64_t warned_at_bytes_ = 0;
};

// Programs other than this one that have the file open, for people: "sqlite3 (process 4711)"; those of other users are
// seen by root alone.
std::string ProgramsWithOpen(const std::string& path);

}  // namespace omnix
