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
    [](sqlite3_file* f, void* to, int n, sqlite3_int64 at) { return Real(f)->pMethods->xRead(Real(f), to, n, at); },
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
    [](sqlite3_file* f, sqlite3_int64* size) { return Real(f)->pMethods->xFileSize(Real(f), size); },
    [](sqlite3_file* f, int level) { return Real(f)->pMethods->xLock(Real(f), level); },
    [](sqlite3_file* f, int level) { return Real(f)->pMethods->xUnlock(Real(f), level); },
    [](sqlite3_file* f, int* out) { return Real(f)->pMethods->xCheckReservedLock(Real(f), out); },
    [](sqlite3_file* f, int op, void* arg) {
      // A hint that would write past this VFS.
      if (op == SQLITE_FCNTL_SIZE_HINT) return SQLITE_OK;
      return Real(f)->pMethods->xFileControl(Real(f), op, arg);
    },
    [](sqlite3_file* f) { return Real(f)->pMethods->xSectorSize(Real(f)); },
    // Promise nothing: SQLite must do all by itself.
    [](sqlite3_file*) { return 0; },
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

int FaultyVfs::Count() { return ++operations_ == failing_operation_ ? code_ : SQLITE_OK; }

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

namespace {

// The disk is simulated: nothing is gained by syncing a real one hundreds of times.
std::filesystem::path FastFolder() {
  const std::filesystem::path kMemory = "/dev/shm";
  return std::filesystem::is_directory(kMemory) ? kMemory : std::filesystem::temp_directory_path();
}

Batch Three(uint64_t first) {
  Batch batch;
  if (first == 1) batch.events.push_back(OpenedEvent(kIncident));
  while (batch.events.size() < 3) batch.events.push_back(NoteEvent(kIncident, first + batch.events.size()));
  // Large, so that a few batches reach a checkpoint.
  batch.events.back().set_text(std::string(100'000, 'x'));
  return batch;
}

// Appends `batches` batches; opens the journal again after a failure. Returns the acknowledged sequence number (what a
// failed batch left behind counts as soon as a later batch builds on it).
uint64_t Work(SqliteJournal& journal, int batches) {
  uint64_t acknowledged = 0;
  for (int i = 0; i < batches; ++i) {
    const auto events = journal.ReadEvents(kIncident, 0, 100'000);
    EXPECT_TRUE(events.ok()) << events.status();
    const uint64_t next = events->size() + 1;
    EXPECT_GE(events->size(), acknowledged);
    EXPECT_EQ(events->size() % 3, 0u) << "half a batch";
    if (journal.Append(Three(next)).ok()) {
      acknowledged = next + 2;
      continue;
    }
    EXPECT_FALSE(journal.Append(Three(next)).ok()) << "took a batch after a failure";
    absl::Status reopened = journal.Reopen();
    // A fault that comes late can hit the opening itself.
    if (!reopened.ok()) reopened = journal.Reopen();
    EXPECT_TRUE(reopened.ok()) << reopened;
  }
  return acknowledged;
}

TEST(FaultyDisk, EachFailingOperationLosesNothing) {
  constexpr int kBatches = 8;
  // A prime: over the batches it meets each place in a commit and in a checkpoint. 1 tries every operation, in a
  // minute.
  constexpr int kStride = 13;
  for (const int code : {SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC, SQLITE_FULL}) {
    int failures = 0;
    // Until a run needs fewer operations than the one that fails.
    for (int n = 1;; n += kStride) {
      const TemporaryFolder folder(FastFolder());
      FaultyVfs disk("faulty");
      SqliteJournalOptions options = OptionsIn(folder);
      options.vfs = disk.name();
      auto journal = SqliteJournal::Open(options);
      ASSERT_TRUE(journal.ok()) << journal.status();
      const int before = disk.operations();
      disk.FailOperation(n, code);
      const uint64_t acknowledged = Work(**journal, kBatches);
      const int used = disk.operations() - before;
      // The disk now loses power: what was acknowledged must be there even so.
      const TemporaryFolder after(FastFolder());
      disk.LosePower(after.path(), static_cast<uint64_t>(n));
      auto recovered = SqliteJournal::Open({after / "journal.db", options.key_path, ""});
      ASSERT_TRUE(recovered.ok()) << "operation " << n << ": " << recovered.status();
      EXPECT_GE((*recovered)->ReadEvents(kIncident, 0, 100'000)->size(), acknowledged) << "operation " << n;
      recovered->reset();
      const auto report = VerifyJournal(after / "journal.db", options.key_path);
      EXPECT_TRUE(report.ok()) << "operation " << n << ": " << report.status();
      if (HasFailure() || used < n) break;
      ++failures;
    }
    EXPECT_GT(failures, 20) << "the faults did not reach the commits";
  }
}

// Batches that were acknowledged and are gone after a power loss.
int LostAfterPowerLoss(bool ignore_syncs, int seeds) {
  int lost = 0;
  for (int seed = 0; seed < seeds; ++seed) {
    const TemporaryFolder folder(FastFolder());
    FaultyVfs disk("losing");
    SqliteJournalOptions options = OptionsIn(folder);
    options.vfs = disk.name();
    auto journal = SqliteJournal::Open(options);
    EXPECT_TRUE(journal.ok()) << journal.status();
    if (ignore_syncs) disk.IgnoreSyncs();
    const uint64_t acknowledged = Work(**journal, 1 + seed % 60);
    const TemporaryFolder after(FastFolder());
    disk.LosePower(after.path(), static_cast<uint64_t>(seed));
    auto recovered = SqliteJournal::Open({after / "journal.db", options.key_path, ""});
    if (!recovered.ok() || (*recovered)->ReadEvents(kIncident, 0, 100'000)->size() < acknowledged) ++lost;
  }
  return lost;
}

TEST(FaultyDisk, PowerLossTakesNothingAcknowledged) { EXPECT_EQ(LostAfterPowerLoss(/*ignore_syncs=*/false, 60), 0); }

TEST(FaultyDisk, TheTestSeesADiskThatDoesNotSync) { EXPECT_GT(LostAfterPowerLoss(/*ignore_syncs=*/true, 20), 0); }

}  // namespace
}  // namespace omnix
