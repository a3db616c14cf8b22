// Writes what SQLite appends to a write-ahead log in one piece.
//
// SQLite writes a log frame by frame, the header of a frame and its page each by a call of their own: a commit of 70
// pages is 140 calls. This VFS over another one keeps what is appended until somebody needs it to be in the file (a
// sync, a read, a question for the size, a write elsewhere), and writes it then at once. Everything but logs goes
// straight to the VFS below.
//
// Only for synchronous=FULL: there SQLite syncs the log before it shows the frames of a commit to other connections
// (sqlite3WalFrames in wal.c), so that they never look for a frame that is still in memory. On a disk that does not
// promise to leave the bytes beside a torn write alone (SQLITE_IOCAP_POWERSAFE_OVERWRITE) that is not so, and nothing
// is gathered.
#pragma once

#include <sqlite3.h>

#include <cstddef>
#include <string>

namespace omnix {

// Registered under its name while it lives; every connection that was opened with it must be closed before that ends.
class WalGatheringVfs {
 public:
  // A commit of more is written in several pieces: SQLite's VFS for Unix takes less than 128 KiB at once
  // (seekAndWriteFd in os_unix.c cuts off what is above).
  static constexpr size_t kMaxGatheredBytes = size_t{120} * 1024;

  // Over the registered VFS `below` (empty: the default one), which must outlive it. Where there is none, opening a
  // file with this VFS fails as it would with that one.
  explicit WalGatheringVfs(const std::string& below);
  ~WalGatheringVfs();
  WalGatheringVfs(const WalGatheringVfs&) = delete;
  WalGatheringVfs& operator=(const WalGatheringVfs&) = delete;

  const std::string& name() const { return name_; }

 private:
  std::string name_;
  sqlite3_vfs vfs_{};
};

}  // namespace omnix
