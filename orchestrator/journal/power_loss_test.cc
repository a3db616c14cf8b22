// The power goes at a random moment: of what was not synced, some writes are kept, some torn, some lost, in no order.
#include <gtest/gtest.h>

#include <random>

#include "orchestrator/journal/faulty_vfs.h"
#include "orchestrator/journal/journal_test_util.h"
#include "orchestrator/journal/maintenance.h"

namespace omnix {
namespace {

enum class Syncs { kDone, kIgnoredByTheDisk, kSwitchedOff };

int SwitchSyncsOff(sqlite3* db, char**, const sqlite3_api_routines*) {
  return sqlite3_exec(db, "PRAGMA synchronous = OFF", nullptr, nullptr, nullptr);
}

// Events of one batch: they are there together or not at all.
constexpr uint64_t kInBatch = 3;

Batch Three(uint64_t first) {
  Batch batch;
  if (first == 1) batch.events.push_back(OpenedEvent(kIncident));
  while (batch.events.size() < kInBatch) batch.events.push_back(NoteEvent(kIncident, first + batch.events.size()));
  // Large, so that a few batches reach a checkpoint.
  batch.events.back().set_text(std::string(60'000, 'x'));
  return batch;
}

// Empty where all that was acknowledged is there after the power loss, and the journal is sound; else what is wrong.
std::string LoseAndRecover(uint64_t seed, Syncs syncs) {
  std::mt19937_64 random(seed);
  const TemporaryFolder folder(FastFolder());
  const TemporaryFolder after(FastFolder());
  FaultyVfs disk("losing");
  SqliteJournalOptions options = OptionsIn(folder);
  options.vfs = disk.name();
  options.checkpoint_pages = 200;
  if (seed % 2 == 1) disk.PromiseNothing();
  if (syncs == Syncs::kIgnoredByTheDisk) disk.IgnoreSyncs();
  if (syncs == Syncs::kSwitchedOff) disk.LieAboutSynchronous();
  constexpr uint64_t kMostOperations = 500;
  disk.LosePowerAt(1 + static_cast<int>(random() % kMostOperations), after.path(), seed);
  auto journal = SqliteJournal::Open(options);
  uint64_t acknowledged = 0;
  while (journal.ok() && (*journal)->Append(Three(acknowledged + 1)).ok()) {
    acknowledged += kInBatch;
    if (!(*journal)->Maintain().ok()) break;
  }
  auto recovered = SqliteJournal::Open({after / "journal.db", options.key_path, ""});
  if (!recovered.ok()) return recovered.status().ToString();
  const auto events = (*recovered)->ReadEvents(kIncident, 0, SIZE_MAX);
  if (!events.ok()) return events.status().ToString();
  recovered->reset();
  const auto report = VerifyJournal(after / "journal.db", options.key_path);
  if (!report.ok()) return report.status().ToString();
  if (events->size() % kInBatch != 0) return "half a batch";
  return events->size() >= acknowledged ? "" : fmt::format("{} of {} events", events->size(), acknowledged);
}

TEST(PowerLoss, TakesNothingAcknowledged) {
  constexpr uint64_t kSeeds = 2'000;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const std::string wrong = LoseAndRecover(seed, Syncs::kDone);
    ASSERT_EQ(wrong, "") << "seed " << seed;
  }
}

// How many of 100 seeds show that something acknowledged is gone.
int Caught(Syncs syncs) {
  constexpr uint64_t kSeeds = 100;
  int caught = 0;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) caught += LoseAndRecover(seed, syncs).empty() ? 0 : 1;
  return caught;
}

TEST(PowerLoss, TheTestSeesADiskThatDoesNotSync) { EXPECT_GT(Caught(Syncs::kIgnoredByTheDisk), 0); }

TEST(PowerLoss, TheTestSeesSynchronousOff) {
  const auto extension = reinterpret_cast<void (*)()>(SwitchSyncsOff);
  sqlite3_auto_extension(extension);
  const int caught = Caught(Syncs::kSwitchedOff);
  sqlite3_cancel_auto_extension(extension);
  EXPECT_GT(caught, 0);
}

}  // namespace
}  // namespace omnix
