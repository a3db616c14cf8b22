// A closed journal whose file was damaged: bits flipped, its end cut off. `verify` says where, or nothing that counts
// has changed; and opening it never crashes.
#include <gmock/gmock.h>

#include <fstream>
#include <random>

#include "orchestrator/journal/journal_test_util.h"
#include "orchestrator/journal/maintenance.h"
#include "orchestrator/journal/prune.h"
#include "orchestrator/journal/story_journal.h"

namespace omnix {
namespace {

class Corruption : public ::testing::Test {
 protected:
  // Three incidents after one was pruned, row by row in turns, in one file.
  void SetUp() override {
    const SqliteJournalOptions options = OptionsIn(folder_);
    auto journal = *SqliteJournal::Open(options);
    ASSERT_TRUE(journal
                    ->Append(Interleaved({StoryBatch(testing::Resolved(), "INC-2025-09-04-001"),
                                          StoryBatch(testing::Planned(), "INC-2025-09-04-002"),
                                          StoryBatch(testing::Escalated(), "INC-2025-09-04-003"),
                                          StoryBatch(testing::Resolved(), "INC-2025-12-01-001", absl::Hours(24 * 88))}))
                    .ok());
    journal.reset();
    PruneOptions prune;
    prune.now = absl::FromCivil(absl::CivilDay(2025, 12, 4), absl::UTCTimeZone());
    prune.before = prune.now - absl::Hours(24 * 30);
    ASSERT_EQ(PruneJournal(options.path, options.key_path, prune)->incidents, 1);
    ASSERT_TRUE(BackupJournal(options.path, folder_ / "good.db").ok());
    std::ifstream in(folder_ / "good.db", std::ios::binary);
    good_.assign(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    exported_ = Export(folder_ / "good.db");
    key_path_ = options.key_path;
  }

  static std::string Export(const std::string& path) {
    return Dump(path, "SELECT id, incident, sequence, time, type, text, hex(payload) FROM events ORDER BY id") +
           Dump(path, "SELECT hash, kind, hex(content) FROM pins ORDER BY hash");
  }

  // "" where verify says that the file is sound, else what it says.
  std::string Verify(const std::string& bytes) {
    std::filesystem::remove(damaged_ + "-wal");
    std::filesystem::remove(damaged_ + "-shm");
    std::ofstream(damaged_, std::ios::binary) << bytes;
    const auto report = VerifyJournal(damaged_, key_path_);
    return report.ok() ? "" : report.status().ToString();
  }

  // What omnixd would do with it; whatever it does, it ends.
  void Use() {
    auto journal = SqliteJournal::Open({damaged_, key_path_, ""});
    if (!journal.ok()) return;
    for (const std::string& id : (*journal)->OpenIncidentIds().value_or(std::vector<std::string>())) {
      (*journal)->VisitEvents(id, [](const v1::Event&) {}).IgnoreError();
    }
    (*journal)->ListIncidents(false, 100).status().IgnoreError();
    (*journal)->ListAlerts(false, 100).status().IgnoreError();
    Batch more;
    more.events = {NoteEvent("INC-2025-09-04-002", 11)};
    (*journal)->Append(more).IgnoreError();
  }

  const TemporaryFolder folder_{FastFolder()};
  const std::string damaged_ = folder_ / "damaged.db";
  std::string key_path_;
  std::string good_;
  std::string exported_;
};

TEST_F(Corruption, OfOneBitIsFoundOrChangesNothing) {
  constexpr int kFlips = 2'000;
  std::mt19937_64 random(42);
  int found = 0;
  for (int i = 0; i < kFlips; ++i) {
    std::string bytes = good_;
    const size_t place = random() % bytes.size();
    bytes[place] = static_cast<char>(bytes[place] ^ (1 << random() % 8));
    const std::string says = Verify(bytes);
    if (says.empty()) {
      ASSERT_TRUE(Export(damaged_) == exported_) << "byte " << place << " went unseen";
    } else {
      ++found;
      // The row, the pin, the record, the table or the page; or that it is no database (of this kind) at all.
      ASSERT_THAT(says, ::testing::ContainsRegex("row[s]? [0-9]|pin |record|[Pp]age|index|table|cell|schema|corrupt|"
                                                 "no SQLite|no Omnix|key in|WAL|can't be opened|is damaged: "))
          << "byte " << place;
    }
    Use();
  }
  EXPECT_GT(found, kFlips / 10);
}

TEST_F(Corruption, OfTheEndIsFound) {
  constexpr size_t kStep = 500;
  for (size_t size = 0; size < good_.size(); size += kStep) {
    // SQLite reads what is cut off the last page as zeroes: where it was nothing else, nothing is lost.
    if (good_.find_first_not_of('\0', size) == std::string::npos) continue;
    EXPECT_NE(Verify(good_.substr(0, size)), "") << size << " of " << good_.size() << " bytes";
    Use();
  }
}

TEST_F(Corruption, OfAWholePageIsFoundOrChangesNothing) {
  constexpr size_t kPage = 4'096;
  std::mt19937_64 random(1);
  for (size_t page = 0; page < good_.size() / kPage; ++page) {
    for (const bool zeroes : {true, false}) {
      std::string bytes = good_;
      for (size_t i = 0; i < kPage; ++i) bytes[page * kPage + i] = zeroes ? '\0' : static_cast<char>(random());
      EXPECT_TRUE(!Verify(bytes).empty() || Export(damaged_) == exported_) << "page " << page + 1 << " went unseen";
      Use();
    }
  }
}

}  // namespace
}  // namespace omnix
