// The journal on real files: crashes, full disks, second programs, foreign readers.
#include "orchestrator/journal/sqlite_journal.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "common/file.h"
#include "orchestrator/journal/journal_test_util.h"
#include "orchestrator/journal/maintenance.h"

namespace omnix {
namespace {

using testing::HasSubstr;

constexpr rlim_t kNoLimit = RLIM_INFINITY;

std::unique_ptr<SqliteJournal> OpenOrDie(const SqliteJournalOptions& options) {
  auto journal = SqliteJournal::Open(options);
  EXPECT_TRUE(journal.ok()) << journal.status();
  return journal.ok() ? *std::move(journal) : nullptr;
}

Batch Note(uint64_t sequence) {
  Batch batch;
  batch.events = {NoteEvent(kIncident, sequence)};
  return batch;
}

// Descriptors of this process that could write to `path`.
int WritableDescriptors(const std::string& path) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    if (std::filesystem::read_symlink(entry.path(), error) != path || error) continue;
    const int flags = fcntl(std::stoi(entry.path().filename()), F_GETFL);
    if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY) ++count;
  }
  return count;
}

TEST(SqliteJournal, SurvivesAReopeningOfTheFile) {
  const TemporaryFolder folder;
  ASSERT_TRUE(OpenOrDie(OptionsIn(folder))->Append(IncidentBatch(kIncident, 3)).ok());
  auto journal = OpenOrDie(OptionsIn(folder));
  EXPECT_EQ(journal->ReadEvents(kIncident, 0, 10)->size(), 3u);
  EXPECT_TRUE(journal->Append(Note(4)).ok());
  journal.reset();
  EXPECT_TRUE(VerifyJournal(folder / "journal.db", folder / "journal.key").ok());
  struct stat info;
  ASSERT_EQ(stat((folder / "journal.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST(SqliteJournal, KeepsWhatItAcknowledgedAcrossKill) {
  const TemporaryFolder folder;
  const SqliteJournalOptions options = OptionsIn(folder);
  uint64_t acknowledged = 0;
  constexpr int kRounds = 5;
  for (int round = 0; round < kRounds; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      close(pipe_ends[0]);
      auto journal = SqliteJournal::Open(options);
      if (!journal.ok()) _exit(1);
      uint64_t sequence = (*journal)->ReadEvents(kIncident, 0, 1'000'000)->size();
      while (true) {
        Batch batch;
        if (sequence == 0) batch.events = {OpenedEvent(kIncident)};
        while (batch.events.size() < 3)
          batch.events.push_back(NoteEvent(kIncident, sequence + 1 + batch.events.size()));
        if (!(*journal)->Append(batch).ok()) _exit(2);
        sequence += batch.events.size();
        if (write(pipe_ends[1], &sequence, sizeof sequence) != sizeof sequence) _exit(3);
      }
    }
    close(pipe_ends[1]);
    // Die in the middle of things, after a different number of commits each round.
    const int commits = 5 + 7 * round;
    uint64_t value = 0;
    for (int i = 0; i < commits; ++i) {
      ASSERT_EQ(read(pipe_ends[0], &value, sizeof value), static_cast<ssize_t>(sizeof value));
    }
    ASSERT_EQ(kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << status;
    while (read(pipe_ends[0], &value, sizeof value) == static_cast<ssize_t>(sizeof value)) acknowledged = value;
    acknowledged = std::max(acknowledged, value);
    close(pipe_ends[0]);
    const auto events = OpenOrDie(options)->ReadEvents(kIncident, 0, 1'000'000);
    ASSERT_TRUE(events.ok());
    EXPECT_GE(events->size(), acknowledged);
    EXPECT_EQ(events->size() % 3, 0u) << "half a batch was kept";
  }
  const auto report = VerifyJournal(options.path, options.key_path);
  EXPECT_TRUE(report.ok()) << report.status();
}

TEST(SqliteJournal, RefusesASecondOpener) {
  const TemporaryFolder folder;
  auto journal = OpenOrDie(OptionsIn(folder));
  const auto second = SqliteJournal::Open(OptionsIn(folder));
  EXPECT_TRUE(absl::IsFailedPrecondition(second.status()));
  EXPECT_THAT(second.status().ToString(), HasSubstr(folder / "journal.db"));
  EXPECT_THAT(second.status().ToString(), HasSubstr("another omnixd (process " + std::to_string(getpid()) + ")"));
  journal.reset();
  EXPECT_TRUE(SqliteJournal::Open(OptionsIn(folder)).ok());
}

TEST(SqliteJournal, HasOneWritableDescriptorWhileReadersWork) {
  const TemporaryFolder folder;
  auto journal = OpenOrDie(OptionsIn(folder));
  ASSERT_TRUE(journal->Append(IncidentBatch(kIncident, 10)).ok());
  std::atomic<bool> stop = false;
  std::atomic<int> reads = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 12; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        const auto events = journal->ReadEvents(kIncident, 0, 100);
        ASSERT_TRUE(events.ok()) << events.status();
        ASSERT_GE(events->size(), 10u);
        ++reads;
      }
    });
  }
  uint64_t sequence = 10;
  while (reads < 500) {
    ASSERT_TRUE(journal->Append(Note(++sequence)).ok());
    ASSERT_EQ(WritableDescriptors(folder / "journal.db"), 1);
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_TRUE(VerifyJournal(folder / "journal.db", folder / "journal.key").ok());
}

TEST(SqliteJournal, StopsAtAFullDiskAndGoesOnAfterwards) {
  signal(SIGXFSZ, SIG_IGN);
  const TemporaryFolder folder;
  auto journal = OpenOrDie(OptionsIn(folder));
  ASSERT_TRUE(journal->Append(IncidentBatch(kIncident, 1)).ok());
  // No file may grow beyond this: a write fails in the middle of a commit.
  const rlimit small = {400'000, kNoLimit};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  uint64_t kept = 1;
  absl::Status status;
  while (status.ok() && kept < 10'000) {
    Batch batch = Note(kept + 1);
    batch.events[0].set_text(std::string(20'000, 'x'));
    status = journal->Append(batch);
    if (status.ok()) ++kept;
  }
  const absl::Status refused = journal->Append(Note(kept + 1));
  const auto readable = journal->ReadEvents(kIncident, 0, 100'000);
  const rlimit unlimited = {kNoLimit, kNoLimit};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(status.ToString(), HasSubstr(folder / "journal.db"));
  EXPECT_TRUE(absl::IsUnavailable(refused)) << refused;
  ASSERT_TRUE(readable.ok()) << readable.status();
  EXPECT_EQ(readable->size(), kept);
  const absl::Status reopened = journal->Reopen();
  ASSERT_TRUE(reopened.ok()) << reopened;
  EXPECT_EQ(journal->ReadEvents(kIncident, 0, 100'000)->size(), kept);
  EXPECT_TRUE(journal->Append(Note(kept + 1)).ok());
  EXPECT_TRUE(VerifyJournal(folder / "journal.db", folder / "journal.key").ok());
}

TEST(SqliteJournal, SaysThatAFolderCantBeWritten) {
  const TemporaryFolder folder;
  ASSERT_EQ(chmod(folder.path().c_str(), 0555), 0);
  const pid_t child = fork();
  if (child == 0) {
    // Root may write anywhere.
    if (getuid() == 0 && setuid(65534) != 0) _exit(3);
    const auto journal = SqliteJournal::Open(OptionsIn(folder));
    const bool clear = absl::IsPermissionDenied(journal.status()) &&
                       journal.status().ToString().find("Permission denied") != std::string::npos;
    _exit(clear ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_TRUE(absl::IsUnavailable(SqliteJournal::Open({folder / "none/journal.db", folder / "key", ""}).status()));
}

TEST(SqliteJournal, RefusesNewerAndForeignFilesUntouched) {
  const TemporaryFolder folder;
  const SqliteJournalOptions options = OptionsIn(folder);
  ASSERT_TRUE(OpenOrDie(options)->Append(IncidentBatch(kIncident, 2)).ok());
  RunSql(options.path, "PRAGMA journal_mode = DELETE; PRAGMA user_version = 99");
  const std::string before = *ReadFile(options.path);
  const auto newer = SqliteJournal::Open(options);
  EXPECT_TRUE(absl::IsFailedPrecondition(newer.status()));
  EXPECT_THAT(newer.status().ToString(), HasSubstr("schema version 99"));
  EXPECT_EQ(*ReadFile(options.path), before);
  RunSql(options.path, "PRAGMA user_version = -1");
  EXPECT_TRUE(absl::IsFailedPrecondition(SqliteJournal::Open(options).status()));
  EXPECT_EQ(Dump(options.path, "PRAGMA user_version"), "-1\n");

  const std::string foreign = folder / "foreign.db";
  {
    SQLite::Database db(foreign, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    db.exec("CREATE TABLE addresses (name TEXT)");
  }
  EXPECT_TRUE(absl::IsFailedPrecondition(SqliteJournal::Open({foreign, options.key_path, ""}).status()));
  const std::string text = folder / "text.db";
  ASSERT_TRUE(ReplaceFile(text, std::string(5000, 'x')).ok());
  EXPECT_TRUE(absl::IsDataLoss(SqliteJournal::Open({text, options.key_path, ""}).status()));
}

TEST(SqliteJournal, RefusesALostOrOpenKey) {
  const TemporaryFolder folder;
  const SqliteJournalOptions options = OptionsIn(folder);
  OpenOrDie(options).reset();
  ASSERT_EQ(chmod(options.key_path.c_str(), 0644), 0);
  EXPECT_TRUE(absl::IsFailedPrecondition(SqliteJournal::Open(options).status()));
  ASSERT_EQ(unlink(options.key_path.c_str()), 0);
  EXPECT_TRUE(absl::IsNotFound(SqliteJournal::Open(options).status()));
  EXPECT_FALSE(std::filesystem::exists(options.key_path)) << "a new key was made for an old journal";
}

TEST(SqliteJournal, FindsACutEndWhenItOpens) {
  const TemporaryFolder folder;
  const SqliteJournalOptions options = OptionsIn(folder);
  ASSERT_TRUE(OpenOrDie(options)->Append(IncidentBatch(kIncident, 5)).ok());
  RunSql(options.path, "DELETE FROM events WHERE sequence = 5");
  const auto journal = SqliteJournal::Open(options);
  EXPECT_TRUE(absl::IsDataLoss(journal.status())) << journal.status();
}

TEST(SqliteJournal, SaysThatAnotherProgramHoldsTheFile) {
  const TemporaryFolder folder;
  auto journal = OpenOrDie(OptionsIn(folder));
  ASSERT_TRUE(journal->Append(IncidentBatch(kIncident, 1)).ok());
  SQLite::Database shell(folder / "journal.db", SQLite::OPEN_READWRITE);
  shell.exec("BEGIN IMMEDIATE");
  const absl::Status status = journal->Append(Note(2));
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(status.ToString(), HasSubstr("another program holds a lock"));
  shell.exec("ROLLBACK");
  ASSERT_TRUE(journal->Reopen().ok());
  EXPECT_TRUE(journal->Append(Note(2)).ok());
}

TEST(SqliteJournal, WorksBesideAForeignReader) {
  const TemporaryFolder folder;
  auto journal = OpenOrDie(OptionsIn(folder));
  ASSERT_TRUE(journal->Append(IncidentBatch(kIncident, 1)).ok());
  SQLite::Database shell(folder / "journal.db", SQLite::OPEN_READONLY);
  shell.exec("BEGIN");
  EXPECT_EQ(shell.execAndGet("SELECT count(*) FROM story").getInt(), 1);
  for (uint64_t sequence = 2; sequence < 300; ++sequence) ASSERT_TRUE(journal->Append(Note(sequence)).ok());
  EXPECT_EQ(shell.execAndGet("SELECT count(*) FROM story").getInt(), 1) << "its view moved";
  shell.exec("COMMIT");
  EXPECT_EQ(shell.execAndGet("SELECT count(*) FROM story").getInt(), 299);
}

}  // namespace
}  // namespace omnix
