// The journal on real disks that fill up or may not be written, and beside real programs that lock, cut or damage its
// files. In each case: nothing acknowledged is lost, the message says what it is, and work goes on by itself.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <thread>

#include "common/file.h"
#include "orchestrator/journal/file_lock.h"
#include "orchestrator/journal/journal_test_util.h"
#include "orchestrator/journal/maintenance.h"
#include "orchestrator/journal/sqlite_shell.h"

namespace omnix {
namespace {

using ::testing::HasSubstr;

// As the engine does it: again and again, until it succeeds.
absl::Status ReopenWithin(SqliteJournal& journal, absl::Duration limit) {
  const absl::Time deadline = absl::Now() + limit;
  absl::Status status = journal.Reopen();
  while (!status.ok() && absl::Now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    status = journal.Reopen();
  }
  return status;
}
constexpr absl::Duration kGoesOnWithin = absl::Seconds(5);

Batch Note(uint64_t sequence, size_t bytes = 10) {
  Batch batch;
  batch.events = {NoteEvent(kIncident, sequence)};
  batch.events[0].set_text(std::string(bytes, 'x'));
  return batch;
}

uint64_t Kept(SqliteJournal& journal) {
  const auto events = journal.ReadEvents(kIncident, 0, SIZE_MAX);
  EXPECT_TRUE(events.ok()) << events.status();
  return events.ok() ? events->size() : 0;
}

// A small disk in memory, of its own.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& size) {
    if (mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, ("size=" + size).c_str()) != 0)
      error_ = std::strerror(errno);
  }
  ~SmallDisk() {
    if (error_.empty()) umount2(folder_.path().c_str(), MNT_DETACH);
  }
  // Why there is none; empty where there is.
  const std::string& error() const { return error_; }
  TemporaryFolder& folder() { return folder_; }

  bool Remount(unsigned long flags) {
    return mount("tmpfs", folder_.path().c_str(), "tmpfs", MS_REMOUNT | flags, nullptr) == 0;
  }

 private:
  TemporaryFolder folder_;
  std::string error_;
};

// The files of a closed journal.
std::string Bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST(RealDisk, FillsUpAndGetsRoomAgain) {
  SmallDisk disk("4m");
  if (!disk.error().empty()) GTEST_SKIP() << "no small disk can be mounted here: " << disk.error();
  const SqliteJournalOptions options = OptionsIn(disk.folder());
  auto journal = *SqliteJournal::Open(options);
  ASSERT_TRUE(journal->Append(IncidentBatch(kIncident, 1)).ok());
  const std::string filler = disk.folder() / "filler";
  uint64_t kept = 1;
  for (const size_t filling : {0u, 1u << 20, 2u << 20}) {
    ASSERT_TRUE(ReplaceFile(filler, std::string(filling, 'f')).ok());
    absl::Status status;
    // What was appended is kept, also where it can't be moved to its place.
    while (status.ok() && (status = journal->Append(Note(kept + 1, 20'000))).ok()) {
      ++kept;
      status = journal->Maintain();
    }
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    EXPECT_THAT(status.ToString(), HasSubstr("the disk is full: free some space"));
    EXPECT_TRUE(absl::IsUnavailable(journal->Append(Note(kept + 1)))) << "took work before it was opened again";
    EXPECT_EQ(Kept(*journal), kept);
    // Room for as much again; and the incident's earlier texts stay.
    ASSERT_EQ(unlink(filler.c_str()), 0);
    ASSERT_EQ(mount("tmpfs", disk.folder().path().c_str(), "tmpfs", MS_REMOUNT,
                    fmt::format("size={}m", 8 + 4 * (filling >> 20)).c_str()),
              0);
    const absl::Status reopened = ReopenWithin(*journal, kGoesOnWithin);
    ASSERT_TRUE(reopened.ok()) << reopened;
    EXPECT_EQ(Kept(*journal), kept);
    ASSERT_TRUE(journal->Append(Note(kept + 1)).ok());
    ++kept;
  }
  EXPECT_GT(kept, 100u);
  EXPECT_TRUE(VerifyJournal(options.path, options.key_path).ok());
}

TEST(RealDisk, KeepsRoomToMoveTheLogWhileAForeignReaderHoldsIt) {
  SmallDisk disk("16m");
  if (!disk.error().empty()) GTEST_SKIP() << "no small disk can be mounted here: " << disk.error();
  const SqliteJournalOptions options = OptionsIn(disk.folder());
  auto journal = *SqliteJournal::Open(options);
  ASSERT_TRUE(journal->Append(IncidentBatch(kIncident, 1)).ok());
  uint64_t kept = 1;
  {
    SqliteShell shell(options.path);
    EXPECT_EQ(shell.Ask("BEGIN; SELECT count(*) FROM events;"), "1");
    absl::Status status;
    while ((status = AppendAndMaintain(*journal, Note(kept + 1, 100'000))).ok()) ++kept;
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    EXPECT_THAT(status.ToString(), HasSubstr("too little to move that into the database file"));
  }
  const absl::Status reopened = ReopenWithin(*journal, kGoesOnWithin);
  ASSERT_TRUE(reopened.ok()) << reopened;
  EXPECT_EQ(std::filesystem::file_size(options.path + "-wal"), 0u);
  EXPECT_EQ(Kept(*journal), kept);
  EXPECT_TRUE(journal->Append(Note(kept + 1)).ok());
}

TEST(RealDisk, MayNotBeWritten) {
  SmallDisk disk("4m");
  if (!disk.error().empty()) GTEST_SKIP() << "no small disk can be mounted here: " << disk.error();
  const SqliteJournalOptions options = OptionsIn(disk.folder());
  ASSERT_TRUE((*SqliteJournal::Open(options))->Append(IncidentBatch(kIncident, 3)).ok());
  const std::string before = Bytes(options.path);
  ASSERT_TRUE(disk.Remount(MS_RDONLY)) << std::strerror(errno);
  const auto refused = SqliteJournal::Open(options);
  EXPECT_TRUE(absl::IsUnavailable(refused.status())) << refused.status();
  EXPECT_THAT(refused.status().ToString(), HasSubstr("Read-only file system"));
  ASSERT_TRUE(disk.Remount(0));
  EXPECT_EQ(Bytes(options.path), before);
  auto journal = SqliteJournal::Open(options);
  ASSERT_TRUE(journal.ok()) << journal.status();
  EXPECT_TRUE((*journal)->Append(Note(4)).ok());
}

// What the child finds wrong, as its exit code: root may do everything, so it is another user.
int WithoutPermission(const TemporaryFolder& folder) {
  if (getuid() == 0 && setuid(65534) != 0) return 1;
  const std::string own = folder / "own";
  if (mkdir(own.c_str(), 0700) != 0) return 2;
  const SqliteJournalOptions mine = {own + "/journal.db", own + "/journal.key", ""};
  uint64_t kept = 2;
  {
    auto journal = SqliteJournal::Open(mine);
    if (!journal.ok() || !(*journal)->Append(IncidentBatch(kIncident, kept)).ok()) return 3;
  }
  struct Loss {
    std::string path;
    mode_t without;
    mode_t with;
  };
  for (const Loss& loss : {Loss{mine.path, 0400, 0600}, Loss{mine.path, 0, 0600}, Loss{mine.key_path, 0, 0600},
                           Loss{own, 0500, 0700}, Loss{own, 0, 0700}}) {
    if (chmod(loss.path.c_str(), loss.without) != 0) return 4;
    const auto refused = SqliteJournal::Open(mine);
    if (chmod(loss.path.c_str(), loss.with) != 0) return 5;
    if (!absl::IsPermissionDenied(refused.status()) || Message(refused.status()).find(own) == std::string::npos)
      return 6;
    auto journal = SqliteJournal::Open(mine);
    if (!journal.ok() || Kept(**journal) != kept || !(*journal)->Append(Note(++kept)).ok()) return 7;
  }
  return VerifyJournal(mine.path, mine.key_path).ok() ? 0 : 8;
}

TEST(RealDisk, LosesPermissionAndGetsItBack) {
  const TemporaryFolder folder;
  ASSERT_EQ(chmod(folder.path().c_str(), 0777), 0);
  const pid_t child = fork();
  if (child == 0) _exit(WithoutPermission(folder));
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(RealDisk, HasADamagedPage) {
  const TemporaryFolder folder;
  const SqliteJournalOptions options = OptionsIn(folder);
  ASSERT_TRUE((*SqliteJournal::Open(options))->Append(IncidentBatch(kIncident, 1'000)).ok());
  const std::string good = Bytes(options.path);
  const int64_t page_size = std::stoll(Dump(options.path, "PRAGMA page_size"));
  for (const char* table : {"meta", "events", "events_by_incident"}) {
    const int64_t page =
        std::stoll(Dump(options.path, fmt::format("SELECT rootpage FROM sqlite_master WHERE name = '{}'", table)));
    std::string bad = good;
    bad.replace(static_cast<size_t>((page - 1) * page_size), static_cast<size_t>(page_size),
                std::string(static_cast<size_t>(page_size), '\x5a'));
    std::ofstream(options.path, std::ios::binary) << bad;
    const auto report = VerifyJournal(options.path, options.key_path);
    EXPECT_TRUE(absl::IsDataLoss(report.status())) << table << ": " << report.status();
    auto journal = SqliteJournal::Open(options);
    const absl::Status used = journal.ok() ? (*journal)->Append(Note(1'001)) : journal.status();
    EXPECT_TRUE(absl::IsDataLoss(used)) << table << ": " << used;
    EXPECT_THAT(used.ToString(), HasSubstr(options.path));
    EXPECT_FALSE(journal.ok() && (*journal)->Append(Note(1'001)).ok()) << "went on with a damaged file";
    journal = absl::CancelledError();
    EXPECT_EQ(Bytes(options.path).size(), good.size()) << "it was changed";
    std::ofstream(options.path, std::ios::binary) << good;
  }
  EXPECT_TRUE((*SqliteJournal::Open(options))->Append(Note(1'001)).ok());
  EXPECT_TRUE(VerifyJournal(options.path, options.key_path).ok());
}

TEST(RealDisk, IsLockedByAnotherProgram) {
  const TemporaryFolder folder;
  const SqliteJournalOptions options = OptionsIn(folder);
  auto journal = *SqliteJournal::Open(options);
  ASSERT_TRUE(journal->Append(IncidentBatch(kIncident, 1)).ok());
  {
    SqliteShell shell(options.path, SqliteShell::Access::kReadWrite);
    EXPECT_EQ(shell.Ask("BEGIN IMMEDIATE; SELECT 'held';"), "held");
    const absl::Status status = journal->Append(Note(2));
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    EXPECT_THAT(status.ToString(), HasSubstr("another program holds a lock"));
    EXPECT_EQ(Kept(*journal), 1u);
  }
  const absl::Status reopened = ReopenWithin(*journal, kGoesOnWithin);
  ASSERT_TRUE(reopened.ok()) << reopened;
  EXPECT_TRUE(journal->Append(Note(2)).ok());
}

TEST(RealDisk, IsOpenInAnotherProcessUntilThatIsKilled) {
  const TemporaryFolder folder;
  const SqliteJournalOptions options = OptionsIn(folder);
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    auto journal = SqliteJournal::Open(options);
    const bool kept = journal.ok() && (*journal)->Append(IncidentBatch(kIncident, 5)).ok();
    if (write(ready[1], kept ? "y" : "n", 1) != 1) _exit(1);
    pause();
    _exit(1);
  }
  char answer = 0;
  ASSERT_EQ(read(ready[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  const auto refused = SqliteJournal::Open(options);
  EXPECT_TRUE(absl::IsFailedPrecondition(refused.status())) << refused.status();
  EXPECT_THAT(refused.status().ToString(), HasSubstr(fmt::format("process {}", child)));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  auto journal = SqliteJournal::Open(options);
  ASSERT_TRUE(journal.ok()) << journal.status();
  EXPECT_EQ(Kept(**journal), 5u);
}

// A closed log that was cut off gives the journal as it was at an earlier commit, whole: as an older copy would, which
// nothing in the file can tell.
TEST(RealDisk, FindsItsLogCutOffAfterACrash) {
  const TemporaryFolder folder;
  const SqliteJournalOptions options = OptionsIn(folder);
  const pid_t child = fork();
  if (child == 0) {
    auto journal = SqliteJournal::Open(options);
    if (!journal.ok() || !(*journal)->Append(IncidentBatch(kIncident, 4)).ok()) _exit(1);
    for (uint64_t sequence = 5; sequence < 21; sequence += 4) {
      Batch batch;
      for (uint64_t i = 0; i < 4; ++i) batch.events.push_back(NoteEvent(kIncident, sequence + i));
      if (!(*journal)->Append(batch).ok()) _exit(1);
    }
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  const std::string database = Bytes(options.path);
  const std::string log = Bytes(options.path + "-wal");
  uint64_t before = 0;
  constexpr size_t kStep = 1'999;
  for (size_t cut = 0; cut < log.size() + kStep; cut += kStep) {
    const size_t size = std::min(cut, log.size());
    const TemporaryFolder copies;
    const SqliteJournalOptions copy = {copies / "journal.db", options.key_path, ""};
    std::ofstream(copy.path, std::ios::binary) << database;
    std::ofstream(copy.path + "-wal", std::ios::binary) << log.substr(0, size);
    auto journal = SqliteJournal::Open(copy);
    ASSERT_TRUE(journal.ok()) << size << ": " << journal.status();
    const uint64_t kept = Kept(**journal);
    EXPECT_EQ(kept % 4, 0u) << size << ": half a batch";
    EXPECT_GE(kept, before);
    before = kept;
    EXPECT_TRUE(VerifyJournal(copy.path, copy.key_path).ok()) << size;
  }
  EXPECT_EQ(before, 20u);
}

TEST(RealDisk, SeesThatItsLogIsCutOffWhileItRuns) {
  for (const off_t size : {0, 5'000}) {
    const TemporaryFolder folder;
    const SqliteJournalOptions options = OptionsIn(folder);
    auto journal = *SqliteJournal::Open(options);
    ASSERT_TRUE(journal->Append(IncidentBatch(kIncident, 10)).ok());
    ASSERT_TRUE(journal->Append(Note(11)).ok());
    ASSERT_EQ(truncate((options.path + "-wal").c_str(), size), 0);
    const absl::Status status = journal->Append(Note(12));
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    EXPECT_THAT(status.ToString(), HasSubstr("was cut off"));
    const absl::Status reopened = journal->Reopen();
    EXPECT_FALSE(reopened.ok()) << "went on without what it had acknowledged";
    EXPECT_FALSE(journal->Append(Note(12)).ok());
  }
}

}  // namespace
}  // namespace omnix
