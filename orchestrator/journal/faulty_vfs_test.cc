#include "orchestrator/journal/faulty_vfs.h"

#include <gmock/gmock.h>

#include <cstring>
#include <fstream>
#include <new>

#include "orchestrator/journal/journal_test_util.h"
#include "orchestrator/journal/maintenance.h"

namespace omnix {

namespace {

// SQLite allocates this much for a file; the system's own file follows behind it.
struct FaultyFile {
  sqlite3_file base;
  FaultyVfs* vfs;
  std::string* path;
  sqlite3_file* real;
};

sqlite3_file* Real(sqlite3_file* file) { return reinterpret_cast<FaultyFile*>(file)->real; }
FaultyFile& Self(sqlite3_file* file) { return *reinterpret_cast<FaultyFile*>(file); }
sqlite3_vfs* System() { return sqlite3_vfs_find("unix"); }

const sqlite3_io_methods kMethods = {
    2,
    [](sqlite3_file* f) {
      const int code = Real(f)->pMethods ? Real(f)->pMethods->xClose(Real(f)) : SQLITE_OK;
      delete Self(f).path;
      return code;
    },
    [](sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
      const int code = Self(f).vfs->Read();
      return code != SQLITE_OK ? code : Real(f)->pMethods->xRead(Real(f), to, n, at);
    },
    [](sqlite3_file* f, const void* from, int n, sqlite3_int64 at) {
      const int code =
          Self(f).vfs->Write(*Self(f).path, at, std::string(static_cast<const char*>(from), static_cast<size_t>(n)));
      return code != SQLITE_OK ? code : Real(f)->pMethods->xWrite(Real(f), from, n, at);
    },
    [](sqlite3_file* f, sqlite3_int64 size) {
      const int code = Self(f).vfs->Truncate(*Self(f).path, size);
      return code != SQLITE_OK ? code : Real(f)->pMethods->xTruncate(Real(f), size);
    },
    [](sqlite3_file* f, int) { return Self(f).vfs->Sync(*Self(f).path); },
    [](sqlite3_file* f, sqlite3_int64* size) {
      const int code = Self(f).vfs->Read();
      return code != SQLITE_OK ? code : Real(f)->pMethods->xFileSize(Real(f), size);
    },
    [](sqlite3_file* f, int level) { return Real(f)->pMethods->xLock(Real(f), level); },
    [](sqlite3_file* f, int level) { return Real(f)->pMethods->xUnlock(Real(f), level); },
    [](sqlite3_file* f, int* out) { return Real(f)->pMethods->xCheckReservedLock(Real(f), out); },
    [](sqlite3_file* f, int op, void* arg) {
      // A hint that would write past this VFS.
      if (op == SQLITE_FCNTL_SIZE_HINT) return SQLITE_OK;
      if (op == SQLITE_FCNTL_PRAGMA) return Self(f).vfs->Pragma(static_cast<char**>(arg));
      return Real(f)->pMethods->xFileControl(Real(f), op, arg);
    },
    [](sqlite3_file* f) { return Real(f)->pMethods->xSectorSize(Real(f)); },
    [](sqlite3_file* f) { return Self(f).vfs->Promises(); },
    [](sqlite3_file* f, int page, int size, int extend, void volatile** out) {
      return Real(f)->pMethods->xShmMap(Real(f), page, size, extend, out);
    },
    [](sqlite3_file* f, int at, int n, int flags) { return Real(f)->pMethods->xShmLock(Real(f), at, n, flags); },
    [](sqlite3_file* f) { Real(f)->pMethods->xShmBarrier(Real(f)); },
    [](sqlite3_file* f, int remove) { return Real(f)->pMethods->xShmUnmap(Real(f), remove); },
    nullptr,
    nullptr,
};

int OpenFaulty(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) {
  auto* self = new (file) FaultyFile{};
  self->vfs = static_cast<FaultyVfs*>(vfs->pAppData);
  self->path = new std::string(path ? path : "");
  self->real = reinterpret_cast<sqlite3_file*>(self + 1);
  sqlite3_vfs* system = System();
  const int code = system->xOpen(system, path, self->real, flags, out_flags);
  self->base.pMethods = &kMethods;
  if (code != SQLITE_OK) {
    delete self->path;
    self->base.pMethods = nullptr;
  }
  return code;
}

}  // namespace

FaultyVfs::FaultyVfs(const std::string& name) : name_(name), vfs_(*sqlite3_vfs_find("unix")) {
  vfs_.szOsFile += static_cast<int>(sizeof(FaultyFile));
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.pNext = nullptr;
  vfs_.xOpen = OpenFaulty;
  vfs_.xDelete = [](sqlite3_vfs* vfs, const char* path, int sync_folder) {
    static_cast<FaultyVfs*>(vfs->pAppData)->Remove(path);
    return System()->xDelete(System(), path, sync_folder);
  };
  sqlite3_vfs_register(&vfs_, 0);
}

FaultyVfs::~FaultyVfs() { sqlite3_vfs_unregister(&vfs_); }

void FaultyVfs::FailOperation(int n, int code) {
  std::lock_guard lock(mutex_);
  failing_operation_ = operations_ + n;
  code_ = code;
}

int FaultyVfs::operations() {
  std::lock_guard lock(mutex_);
  return operations_;
}

void FaultyVfs::FillUpAt(int n) {
  std::lock_guard lock(mutex_);
  full_from_ = operations_ + n;
}

void FaultyVfs::Heal() {
  std::lock_guard lock(mutex_);
  full_from_ = 0;
}

void FaultyVfs::FailCall(int n) {
  std::lock_guard lock(mutex_);
  failing_call_ = calls_ + n;
}

int FaultyVfs::calls() {
  std::lock_guard lock(mutex_);
  return calls_;
}

void FaultyVfs::BecomeDefault() { sqlite3_vfs_register(&vfs_, 1); }

int FaultyVfs::CountCall() { return ++calls_ == failing_call_ ? SQLITE_IOERR : SQLITE_OK; }

int FaultyVfs::Count() {
  if (CountCall() != SQLITE_OK) return SQLITE_IOERR;
  ++operations_;
  if (operations_ == power_lost_at_) WriteRemains(remains_, seed_);
  if (power_lost_at_ != 0 && operations_ >= power_lost_at_) return SQLITE_IOERR;
  if (full_from_ != 0 && operations_ >= full_from_) return SQLITE_FULL;
  return operations_ == failing_operation_ ? code_ : SQLITE_OK;
}

int FaultyVfs::Read() {
  std::lock_guard lock(mutex_);
  return CountCall();
}

int FaultyVfs::Pragma(char** arguments) {
  if (!lie_about_synchronous_ || std::strcmp(arguments[1], "synchronous") != 0) return SQLITE_NOTFOUND;
  if (arguments[2] != nullptr) return std::strcmp(arguments[2], "FULL") == 0 ? SQLITE_OK : SQLITE_NOTFOUND;
  arguments[0] = sqlite3_mprintf("2");
  return SQLITE_OK;
}

int FaultyVfs::Write(const std::string& path, int64_t offset, const std::string& bytes) {
  std::lock_guard lock(mutex_);
  const int code = Count();
  if (code == SQLITE_OK) files_[path].pending.push_back({false, offset, bytes});
  return code;
}

int FaultyVfs::Truncate(const std::string& path, int64_t size) {
  std::lock_guard lock(mutex_);
  const int code = Count();
  if (code == SQLITE_OK) files_[path].pending.push_back({true, size, ""});
  return code;
}

int FaultyVfs::Sync(const std::string& path) {
  std::lock_guard lock(mutex_);
  const int code = Count();
  File& file = files_[path];
  if (code != SQLITE_OK) {
    // As Linux does: what could not be written is forgotten, and the next sync says OK.
    file.pending.clear();
    return code;
  }
  if (ignore_syncs_) return SQLITE_OK;
  for (const Change& change : file.pending) Apply(change, &file.durable);
  file.pending.clear();
  return SQLITE_OK;
}

void FaultyVfs::Remove(const std::string& path) {
  std::lock_guard lock(mutex_);
  files_.erase(path);
}

void FaultyVfs::Apply(const Change& change, std::string* content) {
  const size_t offset = static_cast<size_t>(change.offset);
  if (change.truncation) {
    content->resize(offset);
    return;
  }
  if (content->size() < offset + change.bytes.size()) content->resize(offset + change.bytes.size());
  content->replace(offset, change.bytes.size(), change.bytes);
}

void FaultyVfs::LosePower(const std::string& folder, uint64_t seed) {
  std::lock_guard lock(mutex_);
  WriteRemains(folder, seed);
}

void FaultyVfs::LosePowerAt(int n, const std::string& folder, uint64_t seed) {
  std::lock_guard lock(mutex_);
  power_lost_at_ = operations_ + n;
  remains_ = folder;
  seed_ = seed;
}

void FaultyVfs::WriteRemains(const std::string& folder, uint64_t seed) {
  for (const auto& [path, file] : files_) {
    std::string content = file.durable;
    for (Change change : file.pending) {
      seed = seed * 6364136223846793005u + 1442695040888963407u;
      const uint64_t fate = (seed >> 33) % 3;
      if (fate == 0) continue;
      if (fate == 1 && !change.truncation) change.bytes.resize((seed >> 40) % (change.bytes.size() + 1));
      Apply(change, &content);
    }
    std::ofstream(folder + "/" + std::filesystem::path(path).filename().string(), std::ios::binary) << content;
  }
}

}  // namespace omnix
