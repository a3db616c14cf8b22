#include "orchestrator/journal/prune.h"

#include <gmock/gmock.h>

#include <random>

#include "common/file.h"
#include "orchestrator/journal/journal_test_util.h"
#include "orchestrator/journal/kill_at_statement.h"
#include "orchestrator/journal/maintenance.h"
#include "orchestrator/journal/schema.h"
#include "orchestrator/journal/story_journal.h"

namespace omnix {
namespace {

using ::testing::HasSubstr;

constexpr char kOld[] = "INC-2025-09-04-001";
constexpr char kOpen[] = "INC-2025-09-04-002";
constexpr char kCancelled[] = "INC-2025-09-04-003";
constexpr char kYoung[] = "INC-2025-12-01-001";
const absl::Time kNow = absl::FromCivil(absl::CivilDay(2025, 12, 4), absl::UTCTimeZone());

PruneOptions OlderThan(int days) {
  PruneOptions options;
  options.now = kNow;
  options.before = kNow - absl::Hours(24 * days);
  return options;
}

std::string Export(const std::string& path, const std::string& where = "1") {
  return Dump(path, "SELECT id, incident, sequence, text, hex(payload), hex(chain) FROM events WHERE " + where +
                        " ORDER BY id");
}

class PruneTest : public ::testing::Test {
 protected:
  // A closed journal: two old incidents that are closed, one that is open, and a young one, row by row in turns.
  void SetUp() override {
    auto journal = SqliteJournal::Open(options_);
    ASSERT_TRUE(journal.ok()) << journal.status();
    Batch batch = Interleaved({StoryBatch(omnix::testing::Resolved(), kOld),
                               StoryBatch(omnix::testing::AwaitingApproval(), kOpen),
                               StoryBatch(omnix::testing::Cancelled(), kCancelled),
                               StoryBatch(omnix::testing::Resolved(), kYoung, absl::Hours(24 * 88))});
    batch.repeated_alerts = {{kOld, std::string("alert of ") + kOld}, {kOpen, std::string("alert of ") + kOpen}};
    ASSERT_TRUE((*journal)->Append(batch).ok());
  }

  absl::StatusOr<PruneReport> Prune(int days = 30) {
    return PruneJournal(options_.path, options_.key_path, OlderThan(days));
  }
  std::string Verify(const std::string& path) {
    const auto report = VerifyJournal(path, options_.key_path);
    return report.ok() ? "ok" : report.status().ToString();
  }
  std::map<std::string, std::string> Tables(const std::string& gone) {
    std::map<std::string, std::string> tables;
    std::vector<std::string> names = ProjectionTables();
    names.push_back("phases");
    for (const std::string& table : names) {
      const std::string column = table == "incidents" ? "id" : "incident";
      tables[table] = Dump(options_.path, fmt::format("SELECT * FROM {} WHERE {} NOT IN ({})", table, column, gone));
    }
    return tables;
  }

  TemporaryFolder folder_{FastFolder()};
  const SqliteJournalOptions options_ = OptionsIn(folder_);
};

TEST_F(PruneTest, RemovesOldClosedIncidentsWholeAndNothingElse) {
  const std::string gone = fmt::format("'{}', '{}'", kOld, kCancelled);
  const std::string rows = Export(options_.path, fmt::format("incident NOT IN ({})", gone));
  const auto tables = Tables(gone);
  const auto report = Prune();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->incidents, 2);
  EXPECT_EQ(report->events, 24 + 7);
  EXPECT_EQ(report->pins, 2);
  EXPECT_EQ(Export(options_.path), rows);
  EXPECT_EQ(Tables("''"), tables);
  EXPECT_EQ(Dump(options_.path, "SELECT incident FROM alert_counts"), std::string(kOpen) + "\n");
  EXPECT_EQ(Dump(options_.path, "SELECT count(*) FROM pins"), "2\n");
  const auto verified = VerifyJournal(options_.path, options_.key_path);
  ASSERT_TRUE(verified.ok()) << verified.status();
  EXPECT_EQ(verified->pruned, 31);
  EXPECT_EQ(verified->events, 11 + 24);
  // The tables come out the same from what is left, and the journal goes on.
  ASSERT_TRUE(RebuildProjections(options_.path).ok());
  EXPECT_EQ(Tables("''"), tables);
  auto journal = SqliteJournal::Open(options_);
  ASSERT_TRUE(journal.ok()) << journal.status();
  Batch more;
  more.events = {NoteEvent(kOpen, 12)};
  EXPECT_TRUE((*journal)->Append(more).ok());
  EXPECT_TRUE((*journal)->ReadEvents(kOld, 0, 100)->empty());
  EXPECT_EQ(Verify(options_.path), "ok");
}

TEST_F(PruneTest, GoesOnFromAJournalWhoseEndWasPruned) {
  // The young incident's last rows are the journal's last.
  const auto report = Prune(2);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->incidents, 3);
  EXPECT_EQ(Verify(options_.path), "ok");
  RunSql(options_.path, "UPDATE incidents SET phase = 'Resolved'");
  EXPECT_EQ(Prune(2)->incidents, 0) << "pruned an open incident because a table called it closed";
  auto journal = SqliteJournal::Open(options_);
  ASSERT_TRUE(journal.ok()) << journal.status();
  EXPECT_TRUE((*journal)->Append(StoryBatch(omnix::testing::Cancelled(), kOld)).ok());
  EXPECT_EQ(Verify(options_.path), "ok");
  journal->reset();
  EXPECT_EQ(Prune(2)->incidents, 1);
  EXPECT_EQ(Verify(options_.path), "ok");
}

TEST_F(PruneTest, AnEmptiedJournalGoesOn) {
  auto journal = SqliteJournal::Open(options_);
  ASSERT_TRUE(journal.ok());
  Batch cancel;
  cancel.events = {NoteEvent(kOpen, 12)};
  cancel.events[0].mutable_event()->mutable_incident_cancelled()->set_reason("not needed");
  ASSERT_TRUE((*journal)->Append(cancel).ok());
  journal->reset();
  ASSERT_EQ(Prune(2)->incidents, 4);
  EXPECT_EQ(Dump(options_.path, "SELECT count(*) FROM events"), "0\n");
  EXPECT_EQ(Dump(options_.path, "SELECT count(*) FROM pruned"), "1\n") << "neighbouring gaps were not joined";
  EXPECT_EQ(Verify(options_.path), "ok");
  journal = SqliteJournal::Open(options_);
  ASSERT_TRUE(journal.ok()) << journal.status();
  EXPECT_TRUE((*journal)->Append(IncidentBatch(kOld, 3)).ok());
  EXPECT_EQ(Verify(options_.path), "ok");
}

TEST_F(PruneTest, KeepsAMergedIncidentAsLongAsTheOtherOne) {
  // The old cancelled one gave its alert to the open one, another old one to the cancelled one.
  Batch moves;
  moves.events = {NoteEvent(kCancelled, 8), NoteEvent(kOld, 25)};
  const char* to = kOpen;
  for (auto& move : moves.events) {
    auto* moved = move.mutable_event()->mutable_alerts_moved();
    moved->set_to(to);
    moved->set_all(true);
    moved->mutable_counts();
    to = kCancelled;
  }
  {
    auto journal = SqliteJournal::Open(options_);
    ASSERT_TRUE(journal.ok()) << journal.status();
    ASSERT_TRUE((*journal)->Append(moves).ok());
  }
  const auto tables = Tables("''");
  ASSERT_THAT(tables.at("alerts"), HasSubstr(std::string("alert of ") + kCancelled));
  const auto report = Prune();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->incidents, 0);
  EXPECT_EQ(Tables("''"), tables);
  ASSERT_TRUE(RebuildProjections(options_.path).ok());
  EXPECT_EQ(Tables("''"), tables);

  Batch cancel;
  cancel.events = {NoteEvent(kOpen, 12)};
  cancel.events[0].mutable_event()->mutable_incident_cancelled()->set_reason("not needed");
  {
    auto journal = SqliteJournal::Open(options_);
    ASSERT_TRUE(journal.ok()) << journal.status();
    ASSERT_TRUE((*journal)->Append(cancel).ok());
  }
  EXPECT_EQ(Prune()->incidents, 3) << "they go together";
  EXPECT_EQ(Verify(options_.path), "ok");
}

TEST_F(PruneTest, StillFindsRowsThatSomebodyElseRemoved) {
  ASSERT_TRUE(Prune().ok());
  struct Case {
    const char* sql;
    const char* says;
  };
  const Case kCases[] = {
      // Row 6 is a live one between two gaps.
      {"DELETE FROM events WHERE id = 6", "are missing"},
      {"DELETE FROM events WHERE id = 6; DELETE FROM pruned WHERE first = 7; "
       "UPDATE pruned SET last = 7 WHERE first = 5",
       "changed without the key"},
      {"DELETE FROM pruned WHERE first = 5", "rows 5 to 5 before it are missing"},
      {"DELETE FROM pruned", "are missing"},
      {"UPDATE pruned SET after = zeroblob(32) WHERE first = 5", "changed without the key"},
      {"INSERT INTO pruned SELECT 1000, 1001, before, after, time, seal FROM pruned WHERE first = 5",
       "records of pruned"},
      {"INSERT INTO events SELECT 5, incident, 999, time, type, text, payload, chain, opened_event FROM events WHERE "
       "id = 6",
       "row 5"},
      {"DELETE FROM events WHERE id = (SELECT max(id) FROM events)", "the end was cut off"},
      {"DELETE FROM events", "the end was cut off"},
      {"DELETE FROM events; DELETE FROM meta WHERE key = 'head'", "records of pruned"},
      {"DELETE FROM pins", "runs by, is gone"},
      {"UPDATE pins SET kind = 'policy'", "is called a policy"},
  };
  for (const Case& tampering : kCases) {
    const TemporaryFolder copies(FastFolder());
    const std::string copy = copies / "copy.db";
    ASSERT_TRUE(BackupJournal(options_.path, copy).ok());
    ASSERT_EQ(Verify(copy), "ok");
    RunSql(copy, tampering.sql);
    EXPECT_THAT(Verify(copy), HasSubstr(tampering.says)) << tampering.sql;
  }
}

TEST_F(PruneTest, HidesNoTampering) {
  const std::string kTamperings[] = {
      fmt::format("UPDATE events SET text = 'x' WHERE incident = '{}' AND sequence = 3", kOld),
      fmt::format("UPDATE events SET sequence = 99, opened_event = (SELECT opened_event FROM events WHERE incident = "
                  "'{}') WHERE id = 6",
                  kOld),
      fmt::format("DELETE FROM events WHERE incident = '{}' AND sequence = 3", kOpen)};
  for (const std::string& sql : kTamperings) {
    const TemporaryFolder copies(FastFolder());
    const std::string copy = copies / "copy.db";
    ASSERT_TRUE(BackupJournal(options_.path, copy).ok());
    RunSql(copy, sql);
    const std::string rows = Export(copy);
    const auto report = PruneJournal(copy, options_.key_path, OlderThan(30));
    EXPECT_TRUE(absl::IsDataLoss(report.status())) << sql << ": " << report.status();
    EXPECT_EQ(Export(copy), rows) << sql;
    EXPECT_NE(Verify(copy), "ok") << sql;
  }
}

TEST_F(PruneTest, ADryRunSaysTheSameAndChangesNothing) {
  auto journal = SqliteJournal::Open(options_);
  ASSERT_TRUE(journal.ok());
  const std::string before = *ReadFile(options_.path);
  PruneOptions dry = OlderThan(30);
  dry.dry_run = true;
  const auto report = PruneJournal(options_.path, options_.key_path, dry);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->incidents, 2);
  EXPECT_EQ(report->events, 31);
  EXPECT_EQ(report->pins, 2);
  EXPECT_EQ(*ReadFile(options_.path), before);
}

TEST_F(PruneTest, Refuses) {
  EXPECT_TRUE(absl::IsInvalidArgument(Prune(1).status())) << "an incident's id could be given twice";
  const std::string other = folder_ / "other.key";
  ASSERT_TRUE(LoadJournalKey(other, true).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(PruneJournal(options_.path, other, OlderThan(30)).status()));
  EXPECT_TRUE(absl::IsNotFound(PruneJournal(folder_ / "none.db", other, OlderThan(30)).status()));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "none.db.lock"));
  const auto journal = SqliteJournal::Open(options_);
  ASSERT_TRUE(journal.ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(Prune().status()));
}

TEST_F(PruneTest, KilledAtEachStatementItLeavesASoundJournal) {
  const std::string original = *ReadFile(options_.path);
  PruneOptions options = OlderThan(30);
  options.rows_in_transaction = 1;
  int killed = 0;
  for (int n = 1;; ++n) {
    const TemporaryFolder copies(FastFolder());
    const std::string copy = copies / "journal.db";
    ASSERT_TRUE(ReplaceFile(copy, original).ok());
    const bool was_killed = KilledAtStatement(n, [&] { return PruneJournal(copy, options_.key_path, options).ok(); });
    ASSERT_EQ(Verify(copy), "ok") << "killed at statement " << n;
    const std::string left = Dump(copy, "SELECT incident, count(*) FROM events GROUP BY incident ORDER BY incident");
    EXPECT_THAT(left, ::testing::AnyOf(HasSubstr("001|24\n"), ::testing::Not(HasSubstr("04-001|"))))
        << "half an incident";
    ASSERT_TRUE(PruneJournal(copy, options_.key_path, options).ok());
    ASSERT_EQ(Verify(copy), "ok");
    EXPECT_EQ(Dump(copy, "SELECT count(*) FROM incidents"), "2\n");
    if (!was_killed) break;
    ++killed;
  }
  EXPECT_GT(killed, 50);
}

// Incidents of random age and length in random order, pruned again and again with work in between.
TEST(Prune, AnyOrderOfWorkAndPruningKeepsTheChain) {
  constexpr uint64_t kSeeds = 20;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    std::mt19937_64 random(seed);
    const TemporaryFolder folder(FastFolder());
    const SqliteJournalOptions options = OptionsIn(folder);
    int number = 0;
    for (int round = 0; round < 4; ++round) {
      auto journal = SqliteJournal::Open(options);
      ASSERT_TRUE(journal.ok()) << "seed " << seed << ": " << journal.status();
      std::vector<Batch> batches;
      for (int i = 0; i < 6; ++i) {
        const auto story =
            std::vector{omnix::testing::Resolved, omnix::testing::Cancelled, omnix::testing::Planned}[random() % 3]();
        batches.push_back(StoryBatch(story, fmt::format("INC-2025-09-04-{:03}", ++number),
                                     absl::Hours(24 * static_cast<int>(random() % 80))));
      }
      ASSERT_TRUE((*journal)->Append(Interleaved(std::move(batches))).ok());
      journal->reset();
      PruneOptions prune = OlderThan(10 + static_cast<int>(random() % 80));
      prune.rows_in_transaction = 1 + static_cast<int64_t>(random() % 50);
      const auto report = PruneJournal(options.path, options.key_path, prune);
      ASSERT_TRUE(report.ok()) << "seed " << seed << ": " << report.status();
      const auto verified = VerifyJournal(options.path, options.key_path);
      ASSERT_TRUE(verified.ok()) << "seed " << seed << ": " << verified.status();
    }
    const int64_t rows = std::stoll(Dump(options.path, "SELECT count(*) FROM events"));
    RunSql(options.path, fmt::format("DELETE FROM events WHERE id = (SELECT id FROM events LIMIT 1 OFFSET {})",
                                     random() % static_cast<uint64_t>(rows)));
    EXPECT_TRUE(absl::IsDataLoss(VerifyJournal(options.path, options.key_path).status())) << "seed " << seed;
  }
}

}  // namespace
}  // namespace omnix
