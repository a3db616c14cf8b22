#include "orchestrator/journal/wal_gathering_vfs.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

#include "orchestrator/journal/sqlite_connection.h"

namespace omnix {
namespace {

// What SQLite sees as the log's file; that of the VFS below follows it in memory.
struct WalFile {
  sqlite3_file base;
  bool gathers;
  std::unique_ptr<char[]> gathered;
  size_t gathered_bytes;
  sqlite3_int64 offset;  // of the first byte gathered
};
constexpr size_t kWalFileBytes =
    (sizeof(WalFile) + alignof(std::max_align_t) - 1) / alignof(std::max_align_t) * alignof(std::max_align_t);

WalFile& Self(sqlite3_file* file) { return *reinterpret_cast<WalFile*>(file); }
sqlite3_file* Below(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + kWalFileBytes);
}
sqlite3_vfs* Below(sqlite3_vfs* vfs) { return static_cast<sqlite3_vfs*>(vfs->pAppData); }

int WriteBelow(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 at) {
  return Below(file)->pMethods->xWrite(Below(file), bytes, size, at);
}

int WriteGathered(sqlite3_file* file) {
  WalFile& self = Self(file);
  if (self.gathered_bytes == 0) return SQLITE_OK;
  // Also where it fails, they are forgotten: SQLite takes the transaction back, and nothing of it must come later.
  const int size = static_cast<int>(std::exchange(self.gathered_bytes, 0));
  return WriteBelow(file, self.gathered.get(), size, self.offset);
}

int Write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 at) {
  WalFile& self = Self(file);
  if (!self.gathers) return WriteBelow(file, bytes, size, at);
  const auto added = static_cast<size_t>(size);
  const bool follows = at == self.offset + static_cast<sqlite3_int64>(self.gathered_bytes);
  if (!follows || self.gathered_bytes + added > WalGatheringVfs::kMaxGatheredBytes) {
    if (const int code = WriteGathered(file); code != SQLITE_OK) return code;
  }
  if (added > WalGatheringVfs::kMaxGatheredBytes) return WriteBelow(file, bytes, size, at);
  if (self.gathered_bytes == 0) self.offset = at;
  std::memcpy(self.gathered.get() + self.gathered_bytes, bytes, added);
  self.gathered_bytes += added;
  return SQLITE_OK;
}

int Read(sqlite3_file* file, void* to, int size, sqlite3_int64 at) {
  const int code = WriteGathered(file);
  return code != SQLITE_OK ? code : Below(file)->pMethods->xRead(Below(file), to, size, at);
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  const int code = WriteGathered(file);
  return code != SQLITE_OK ? code : Below(file)->pMethods->xTruncate(Below(file), size);
}

int Sync(sqlite3_file* file, int flags) {
  const int code = WriteGathered(file);
  return code != SQLITE_OK ? code : Below(file)->pMethods->xSync(Below(file), flags);
}

int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  const int code = WriteGathered(file);
  return code != SQLITE_OK ? code : Below(file)->pMethods->xFileSize(Below(file), size);
}

// What is still gathered was never synced: it is of no commit.
int Close(sqlite3_file* file) {
  const int code = Below(file)->pMethods->xClose(Below(file));
  Self(file).~WalFile();
  return code;
}

int Lock(sqlite3_file* file, int level) { return Below(file)->pMethods->xLock(Below(file), level); }
int Unlock(sqlite3_file* file, int level) { return Below(file)->pMethods->xUnlock(Below(file), level); }
int CheckReservedLock(sqlite3_file* file, int* out) {
  return Below(file)->pMethods->xCheckReservedLock(Below(file), out);
}
int FileControl(sqlite3_file* file, int op, void* argument) {
  return Below(file)->pMethods->xFileControl(Below(file), op, argument);
}
int SectorSize(sqlite3_file* file) { return Below(file)->pMethods->xSectorSize(Below(file)); }
int DeviceCharacteristics(sqlite3_file* file) { return Below(file)->pMethods->xDeviceCharacteristics(Below(file)); }

// Version 1: no shared memory, no mapping; SQLite asks neither of a log.
constexpr sqlite3_io_methods kWalMethods = {1,
                                            Close,
                                            Read,
                                            Write,
                                            Truncate,
                                            Sync,
                                            FileSize,
                                            Lock,
                                            Unlock,
                                            CheckReservedLock,
                                            FileControl,
                                            SectorSize,
                                            DeviceCharacteristics,
                                            nullptr,
                                            nullptr,
                                            nullptr,
                                            nullptr,
                                            nullptr,
                                            nullptr};

int OpenWal(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) {
  std::unique_ptr<char[]> buffer(new (std::nothrow) char[WalGatheringVfs::kMaxGatheredBytes]);
  if (!buffer) return SQLITE_NOMEM;
  std::memset(Below(file), 0, static_cast<size_t>(Below(vfs)->szOsFile));
  if (const int code = Below(vfs)->xOpen(Below(vfs), path, Below(file), flags, out_flags); code != SQLITE_OK) {
    if (Below(file)->pMethods != nullptr) Below(file)->pMethods->xClose(Below(file));
    return code;
  }
  // Without this promise SQLite fills the last sector of a commit with frames that it does not sync.
  const bool gathers =
      (Below(file)->pMethods->xDeviceCharacteristics(Below(file)) & SQLITE_IOCAP_POWERSAFE_OVERWRITE) != 0;
  new (file) WalFile{{&kWalMethods}, gathers, std::move(buffer), 0, 0};
  return SQLITE_OK;
}

int Open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) {
  file->pMethods = nullptr;
  if ((flags & SQLITE_OPEN_WAL) != 0) return OpenWal(vfs, path, file, flags, out_flags);
  return Below(vfs)->xOpen(Below(vfs), path, file, flags, out_flags);
}

int Delete(sqlite3_vfs* vfs, const char* path, int sync_folder) {
  return Below(vfs)->xDelete(Below(vfs), path, sync_folder);
}
int Access(sqlite3_vfs* vfs, const char* path, int flags, int* out) {
  return Below(vfs)->xAccess(Below(vfs), path, flags, out);
}
int FullPathname(sqlite3_vfs* vfs, const char* path, int size, char* out) {
  return Below(vfs)->xFullPathname(Below(vfs), path, size, out);
}
int Randomness(sqlite3_vfs* vfs, int size, char* out) { return Below(vfs)->xRandomness(Below(vfs), size, out); }
int Sleep(sqlite3_vfs* vfs, int microseconds) { return Below(vfs)->xSleep(Below(vfs), microseconds); }
int CurrentTime(sqlite3_vfs* vfs, double* out) { return Below(vfs)->xCurrentTime(Below(vfs), out); }
int GetLastError(sqlite3_vfs* vfs, int size, char* out) { return Below(vfs)->xGetLastError(Below(vfs), size, out); }
int CurrentTimeInt64(sqlite3_vfs* vfs, sqlite3_int64* out) { return Below(vfs)->xCurrentTimeInt64(Below(vfs), out); }

}  // namespace

WalGatheringVfs::WalGatheringVfs(const std::string& below) {
  static std::atomic<int> made{0};
  name_ = fmt::format("omnix-wal-{}", ++made);
  ConfigureSqliteOnce();
  sqlite3_vfs* const base = sqlite3_vfs_find(below.empty() ? nullptr : below.c_str());
  if (base == nullptr) {
    name_ = below;
    return;
  }
  vfs_.iVersion = std::min(base->iVersion, 2);
  vfs_.szOsFile = static_cast<int>(kWalFileBytes) + base->szOsFile;
  vfs_.mxPathname = base->mxPathname;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = base;
  vfs_.xOpen = Open;
  vfs_.xDelete = Delete;
  vfs_.xAccess = Access;
  vfs_.xFullPathname = FullPathname;
  // No extensions are loaded: without xDlOpen SQLite refuses them.
  vfs_.xRandomness = Randomness;
  vfs_.xSleep = Sleep;
  vfs_.xCurrentTime = CurrentTime;
  vfs_.xGetLastError = GetLastError;
  vfs_.xCurrentTimeInt64 = CurrentTimeInt64;
  sqlite3_vfs_register(&vfs_, 0);
}

WalGatheringVfs::~WalGatheringVfs() {
  if (vfs_.pAppData != nullptr) sqlite3_vfs_unregister(&vfs_);
}

}  // namespace omnix
