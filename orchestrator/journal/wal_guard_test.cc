// The write-ahead log beside real programs that read: it stays bounded, and only Omnix's one connection writes.
#include "orchestrator/journal/wal_guard.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <future>
#include <sstream>
#include <thread>

#include "orchestrator/journal/journal_test_util.h"
#include "orchestrator/journal/maintenance.h"
#include "orchestrator/journal/sqlite_shell.h"

namespace omnix {
namespace {

using ::testing::HasSubstr;

Batch Large(uint64_t sequence) {
  Batch batch;
  batch.events = {NoteEvent(kIncident, sequence)};
  batch.events[0].set_text(std::string(100'000, 'x'));
  return batch;
}

// Appends until it fails; gives the last sequence number that was kept.
uint64_t FillUp(SqliteJournal& journal, uint64_t kept, absl::Status* status) {
  constexpr uint64_t kMost = 5'000;
  while (kept < kMost && (*status = AppendAndMaintain(journal, Large(kept + 1))).ok()) ++kept;
  return kept;
}

// Descriptors of all processes that could write to `path`.
int WritableDescriptorsAnywhere(const std::string& path) {
  int count = 0;
  std::error_code error;
  for (const auto& process : std::filesystem::directory_iterator("/proc")) {
    // Not "self", which is one of the others.
    if (process.path().filename().string().find_first_not_of("0123456789") != std::string::npos) continue;
    for (std::filesystem::directory_iterator fd(process.path() / "fd", error), end; !error && fd != end;
         fd.increment(error)) {
      std::error_code gone;
      if (std::filesystem::read_symlink(fd->path(), gone) != path) continue;
      std::ifstream info(process.path() / "fdinfo" / fd->path().filename());
      std::string word;
      while (info >> word && word != "flags:") {
      }
      int flags = O_RDONLY;
      if (info >> std::oct >> flags && (flags & O_ACCMODE) != O_RDONLY) ++count;
    }
  }
  return count;
}

TEST(WalGuard, AForeignReaderIsNamedRefusedAtTheLimitAndForgottenAtItsEnd) {
  std::ostringstream log;
  const auto logger = spdlog::default_logger();
  spdlog::set_default_logger(
      std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log)));
  const TemporaryFolder folder;
  SqliteJournalOptions options = OptionsIn(folder);
  options.wal_limit_bytes = kMinWalLimitBytes;
  auto journal = *SqliteJournal::Open(options);
  ASSERT_TRUE(journal->Append(IncidentBatch(kIncident, 1)).ok());
  SqliteShell shell(options.path);
  EXPECT_EQ(shell.Ask("BEGIN; SELECT count(*) FROM events;"), "1");

  absl::Status status;
  const uint64_t kept = FillUp(*journal, 1, &status);
  spdlog::set_default_logger(logger);
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  const std::string reader = fmt::format("sqlite3 (process {})", shell.pid());
  EXPECT_THAT(status.ToString(), HasSubstr(reader));
  EXPECT_THAT(status.ToString(), HasSubstr("beyond 16 MiB nothing more is taken"));
  EXPECT_THAT(log.str(), HasSubstr("journal.db-wal has grown to 8 MiB"));
  EXPECT_THAT(log.str(), HasSubstr(reader));
  const auto log_size = [&] { return std::filesystem::file_size(options.path + "-wal"); };
  EXPECT_LT(log_size(), kMinWalLimitBytes + (1 << 20));
  EXPECT_TRUE(absl::IsUnavailable(journal->Reopen())) << "the reader is still there";
  EXPECT_EQ(journal->ReadEvents(kIncident, 0, 10'000)->size(), kept);
  EXPECT_EQ(shell.Ask("SELECT count(*) FROM events;"), "1") << "its view moved";

  EXPECT_EQ(shell.Ask("COMMIT; SELECT count(*) FROM events;"), std::to_string(kept));
  const absl::Status reopened = journal->Reopen();
  ASSERT_TRUE(reopened.ok()) << reopened;
  EXPECT_EQ(log_size(), 0u);
  EXPECT_TRUE(journal->Append(Large(kept + 1)).ok());
  EXPECT_TRUE(VerifyJournal(options.path, options.key_path).ok());
}

TEST(WalGuard, AReaderThatEndsBeforeTheLimitLeavesASmallLog) {
  const TemporaryFolder folder;
  SqliteJournalOptions options = OptionsIn(folder);
  options.wal_limit_bytes = 64 << 20;
  auto journal = *SqliteJournal::Open(options);
  ASSERT_TRUE(journal->Append(IncidentBatch(kIncident, 1)).ok());
  uint64_t sequence = 1;
  {
    SqliteShell shell(options.path);
    EXPECT_EQ(shell.Ask("BEGIN; SELECT count(*) FROM events;"), "1");
    while (std::filesystem::file_size(options.path + "-wal") < (20 << 20)) {
      ASSERT_TRUE(AppendAndMaintain(*journal, Large(++sequence)).ok());
    }
  }
  // The first commit moves the log, the second begins it anew.
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(AppendAndMaintain(*journal, Large(++sequence)).ok());
  EXPECT_LE(std::filesystem::file_size(options.path + "-wal"), 16u << 20);
}

TEST(WalGuard, OwnReadersNeverMakeItRefuse) {
  const TemporaryFolder folder;
  SqliteJournalOptions options = OptionsIn(folder);
  options.wal_limit_bytes = kMinWalLimitBytes;
  auto journal = *SqliteJournal::Open(options);
  ASSERT_TRUE(journal->Append(IncidentBatch(kIncident, 1)).ok());
  std::atomic<bool> stop = false;
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      while (!stop) EXPECT_TRUE(journal->ReadEvents(kIncident, 0, 20).ok());
    });
  }
  for (uint64_t sequence = 2; sequence < 300; ++sequence) {
    ASSERT_TRUE(AppendAndMaintain(*journal, Large(sequence)).ok());
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
}

TEST(ReaderPool, WhoeverReadsWaitsWhileReadersAreHeldBack) {
  const TemporaryFolder folder;
  const SqliteJournalOptions options = OptionsIn(folder);
  auto journal = *SqliteJournal::Open(options);
  ReaderPool pool(options.path, "");
  std::promise<void> may_end, lent;
  auto first = std::async(std::launch::async, [&] {
    return pool.With([&](SqliteConnection&) {
      lent.set_value();
      may_end.get_future().wait();
      return absl::OkStatus();
    });
  });
  lent.get_future().wait();
  std::future<absl::Status> second;
  auto alone = std::async(std::launch::async, [&] {
    return pool.WithoutReaders([&] {
      EXPECT_EQ(first.wait_for(std::chrono::seconds(5)), std::future_status::ready) << "it has its connection yet";
      second =
          std::async(std::launch::async, [&] { return pool.With([](SqliteConnection&) { return absl::OkStatus(); }); });
      EXPECT_EQ(second.wait_for(std::chrono::milliseconds(200)), std::future_status::timeout);
      return absl::OkStatus();
    });
  });
  EXPECT_EQ(alone.wait_for(std::chrono::milliseconds(200)), std::future_status::timeout);
  may_end.set_value();
  EXPECT_TRUE(alone.get().ok());
  EXPECT_TRUE(first.get().ok());
  EXPECT_TRUE(second.get().ok());
}

TEST(WalGuard, OneDescriptorWritesBesideReadersBackupsAndShells) {
  const TemporaryFolder folder;
  SqliteJournalOptions options = OptionsIn(folder);
  // Often: checkpoints are what must not meet another writer.
  options.checkpoint_pages = 50;
  auto journal = *SqliteJournal::Open(options);
  ASSERT_TRUE(journal->Append(IncidentBatch(kIncident, 10)).ok());
  SqliteShell shell(options.path);
  std::atomic<bool> stop = false;
  std::atomic<int> backups = 0;
  std::atomic<int> reads = 0;
  std::vector<std::thread> others;
  for (int i = 0; i < 4; ++i) {
    others.emplace_back([&] {
      for (; !stop; ++reads) EXPECT_TRUE(journal->ReadEvents(kIncident, 0, 100).ok());
    });
  }
  others.emplace_back([&] {
    for (; !stop; ++backups) {
      const std::string copy = folder / fmt::format("backup{}.db", backups.load());
      EXPECT_TRUE(BackupJournal(options.path, copy).ok());
      EXPECT_TRUE(VerifyJournal(copy, options.key_path).ok());
    }
  });
  others.emplace_back([&] {
    while (!stop) EXPECT_FALSE(shell.Ask("SELECT count(*) FROM story;").empty());
  });
  uint64_t sequence = 10;
  while (backups < 10 || reads < 500) {
    Batch batch;
    batch.events = {NoteEvent(kIncident, ++sequence)};
    ASSERT_TRUE(AppendAndMaintain(*journal, batch).ok());
    if (sequence % 20 != 0) continue;
    EXPECT_EQ(WritableDescriptorsAnywhere(options.path), 1);
  }
  stop = true;
  for (std::thread& other : others) other.join();
  EXPECT_EQ(shell.Ask("PRAGMA integrity_check;"), "ok");
  EXPECT_TRUE(VerifyJournal(options.path, options.key_path).ok());
}

TEST(ReaderPool, EndsAReadThatTakesTooLong) {
  const TemporaryFolder folder;
  const SqliteJournalOptions options = OptionsIn(folder);
  auto journal = *SqliteJournal::Open(options);
  ReaderPool pool(options.path, "", std::chrono::milliseconds(50));
  const auto read = [&](const char* sql) {
    return pool.With([&](SqliteConnection& db) { return db.Integer(sql).status(); });
  };
  const absl::Status endless =
      read("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c");
  EXPECT_TRUE(absl::IsUnavailable(endless)) << endless;
  EXPECT_THAT(endless.ToString(), HasSubstr("longer than 50 ms"));
  EXPECT_TRUE(read("SELECT count(*) FROM events").ok());
}

TEST(ReadEvents, ReadsALongIncidentInPieces) {
  const TemporaryFolder folder;
  auto journal = *SqliteJournal::Open(OptionsIn(folder));
  constexpr uint64_t kEvents = 12'345;
  ASSERT_TRUE(journal->Append(IncidentBatch(kIncident, kEvents)).ok());
  const auto events = journal->ReadEvents(kIncident, 0, SIZE_MAX);
  ASSERT_TRUE(events.ok());
  ASSERT_EQ(events->size(), kEvents);
  for (uint64_t i = 0; i < kEvents; ++i) ASSERT_EQ((*events)[i].event().sequence(), i + 1);
  EXPECT_EQ(journal->ReadEvents(kIncident, 100, 10'000)->size(), 10'000u);
  uint64_t visited = 0;
  ASSERT_TRUE(journal->VisitEvents(kIncident, [&](const v1::Event&) { ++visited; }).ok());
  EXPECT_EQ(visited, kEvents);
}

}  // namespace
}  // namespace omnix
