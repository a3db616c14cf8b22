// The journal on a disk that fails: at every place, with every kind of error, nothing acknowledged is lost and nothing
// is acknowledged wrongly.
#include <gmock/gmock.h>

#include "orchestrator/journal/faulty_vfs.h"
#include "orchestrator/journal/journal_test_util.h"
#include "orchestrator/journal/maintenance.h"

namespace omnix {
namespace {

Batch Three(uint64_t first) {
  Batch batch;
  if (first == 1) batch.events.push_back(OpenedEvent(kIncident));
  while (batch.events.size() < 3) batch.events.push_back(NoteEvent(kIncident, first + batch.events.size()));
  // Large, so that a few batches reach a checkpoint.
  batch.events.back().set_text(std::string(100'000, 'x'));
  return batch;
}

// A fault that comes late can hit the opening itself.
absl::Status ReopenTwice(SqliteJournal& journal) {
  const absl::Status reopened = journal.Reopen();
  return reopened.ok() ? reopened : journal.Reopen();
}

SqliteJournalOptions OnDisk(const FaultyVfs& disk, const TemporaryFolder& folder) {
  SqliteJournalOptions options = OptionsIn(folder);
  options.vfs = disk.name();
  // So that a few steps meet a checkpoint.
  options.checkpoint_pages = 200;
  return options;
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
      if (journal.Maintain().ok()) continue;
    }
    EXPECT_FALSE(journal.Append(Three(next)).ok()) << "took a batch after a failure";
    const absl::Status reopened = ReopenTwice(journal);
    EXPECT_TRUE(reopened.ok()) << reopened;
  }
  return acknowledged;
}

TEST(FaultyDisk, EachFailingOperationLosesNothing) {
  constexpr int kBatches = 8;
  // A prime: over the batches it meets each place in a commit and in a checkpoint. 1 tries every operation, in a
  // minute.
  constexpr int kStride = 7;
  for (const int code : {SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC, SQLITE_FULL}) {
    int failures = 0;
    // Until a run needs fewer operations than the one that fails.
    for (int n = 1;; n += kStride) {
      const TemporaryFolder folder(FastFolder());
      FaultyVfs disk("faulty");
      if (n % 2 == 0) disk.PromiseNothing();
      const SqliteJournalOptions options = OnDisk(disk, folder);
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

constexpr int kSteps = 50;

Batch Step(uint64_t sequence) {
  Batch batch;
  batch.events = {sequence == 1 ? OpenedEvent(kIncident) : NoteEvent(kIncident, sequence)};
  // Large, so that the run meets checkpoints.
  batch.events[0].set_text(std::string(4'000, 'x'));
  return batch;
}

// Fifty steps, each repeated until it is acknowledged; the journal is opened again after a failure, as the engine does.
void FiftySteps(SqliteJournal& journal) {
  constexpr int kMostTries = 5;
  for (uint64_t sequence = 1; sequence <= kSteps; ++sequence) {
    int tries = 0;
    while (!journal.Append(Step(sequence)).ok()) {
      ASSERT_LT(++tries, kMostTries) << "step " << sequence << " never succeeded";
      const absl::Status reopened = ReopenTwice(journal);
      ASSERT_TRUE(reopened.ok()) << reopened;
      auto events = journal.ReadEvents(kIncident, 0, 1'000);
      if (!events.ok()) events = journal.ReadEvents(kIncident, 0, 1'000);
      ASSERT_TRUE(events.ok()) << events.status();
      ASSERT_GE(events->size(), sequence - 1) << "an acknowledged step is gone";
      // It was kept, though it was told to have failed.
      if (events->size() == sequence) break;
    }
    if (!journal.Maintain().ok()) {
      const absl::Status reopened = ReopenTwice(journal);
      ASSERT_TRUE(reopened.ok()) << reopened;
    }
  }
}

// Runs the fifty steps with an input/output error at call `n`; false where the run needs fewer calls.
bool FailsNoStepForGood(int n, bool promises) {
  const TemporaryFolder folder(FastFolder());
  FaultyVfs disk("failing");
  if (!promises) disk.PromiseNothing();
  const SqliteJournalOptions options = OnDisk(disk, folder);
  auto journal = SqliteJournal::Open(options);
  EXPECT_TRUE(journal.ok()) << journal.status();
  const int before = disk.calls();
  disk.FailCall(n);
  FiftySteps(**journal);
  const bool reached = disk.calls() - before >= n;
  disk.FailCall(0);
  EXPECT_EQ((*journal)->ReadEvents(kIncident, 0, 1'000)->size(), static_cast<size_t>(kSteps)) << "call " << n;
  journal->reset();
  const auto report = VerifyJournal(options.path, options.key_path);
  EXPECT_TRUE(report.ok()) << "call " << n << ": " << report.status();
  return reached;
}

TEST(FaultyDisk, AnErrorAtAnyCallOfFiftyStepsLosesNothing) {
  for (const bool promises : {true, false}) {
    int n = 1;
    while (FailsNoStepForGood(n, promises) && !HasFailure()) ++n;
    EXPECT_GT(n, promises ? 150 : 300) << "the errors did not reach the steps";
  }
}

TEST(FaultyDisk, FullFromTheNthWriteOnItGoesOnOnceThereIsRoom) {
  constexpr int kMost = 200;
  for (int n = 1; n <= kMost && !HasFailure(); ++n) {
    const TemporaryFolder folder(FastFolder());
    FaultyVfs disk("full");
    const SqliteJournalOptions options = OnDisk(disk, folder);
    auto journal = *SqliteJournal::Open(options);
    disk.FillUpAt(n);
    uint64_t kept = 0;
    absl::Status status;
    while (kept < 1'000 && (status = AppendAndMaintain(*journal, Step(kept + 1))).ok()) ++kept;
    ASSERT_TRUE(absl::IsUnavailable(status)) << "write " << n << ": " << status;
    ASSERT_THAT(status.ToString(), ::testing::HasSubstr("the disk is full"));
    // Nothing to be had from a disk that is still full, nor anything lost.
    journal->Reopen().IgnoreError();
    EXPECT_FALSE(journal->Append(Step(kept + 1)).ok()) << "write " << n;
    disk.Heal();
    ASSERT_TRUE(journal->Reopen().ok()) << "write " << n;
    const size_t found = journal->ReadEvents(kIncident, 0, 2'000)->size();
    EXPECT_GE(found, kept) << "write " << n;
    EXPECT_TRUE(journal->Append(Step(found + 1)).ok()) << "write " << n;
    journal.reset();
    EXPECT_TRUE(VerifyJournal(options.path, options.key_path).ok()) << "write " << n;
  }
}

TEST(FaultyDisk, ABackupOntoAFullDiskLeavesNothingBehind) {
  const TemporaryFolder folder(FastFolder());
  const SqliteJournalOptions options = OptionsIn(folder);
  auto journal = *SqliteJournal::Open(options);
  // More than two hundred pages.
  constexpr uint64_t kEvents = 200;
  for (uint64_t sequence = 1; sequence <= kEvents; ++sequence) ASSERT_TRUE(journal->Append(Step(sequence)).ok());
  FaultyVfs disk("full");
  disk.BecomeDefault();
  const std::string copy = folder / "copy.db";
  constexpr int kMost = 200;
  int failed = 0;
  for (int n = 1; n <= kMost; ++n) {
    disk.FillUpAt(n);
    const absl::Status status = BackupJournal(options.path, copy);
    disk.Heal();
    failed += status.ok() ? 0 : 1;
    EXPECT_TRUE(absl::IsUnavailable(status)) << n << ": " << status;
    EXPECT_THAT(status.ToString(), ::testing::HasSubstr("the disk is full"));
    EXPECT_FALSE(std::filesystem::exists(copy)) << n;
    EXPECT_FALSE(std::filesystem::exists(copy + "-journal")) << n;
  }
  EXPECT_EQ(failed, kMost);
  EXPECT_TRUE(journal->Append(Step(kEvents + 1)).ok()) << "the backup's trouble was the journal's";
  std::filesystem::remove(copy);
  ASSERT_TRUE(BackupJournal(options.path, copy).ok());
  EXPECT_TRUE(VerifyJournal(copy, options.key_path).ok());
}

}  // namespace
}  // namespace omnix
