#include "orchestrator/journal/maintenance.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "common/hash.h"
#include "orchestrator/journal/journal_test_util.h"
#include "orchestrator/journal/schema.h"

namespace omnix {
namespace {

using testing::HasSubstr;

class MaintenanceTest : public testing::Test {
 protected:
  // A closed journal with two incidents of five events, a pin and a repeated alert.
  void SetUp() override {
    auto journal = SqliteJournal::Open(options_);
    ASSERT_TRUE(journal.ok()) << journal.status();
    ASSERT_TRUE((*journal)->Append(IncidentBatch("INC-2025-09-04-001", 5)).ok());
    Batch second = IncidentBatch("INC-2025-09-04-002", 5);
    second.pins = {{Sha256Hex("content"), "policy", "content"}};
    second.repeated_alerts = {{"INC-2025-09-04-001", "fp-1"}};
    ASSERT_TRUE((*journal)->Append(second).ok());
  }

  std::string VerifyError() {
    const auto report = VerifyJournal(options_.path, options_.key_path);
    return report.ok() ? "ok" : report.status().ToString();
  }

  TemporaryFolder folder_;
  const SqliteJournalOptions options_ = OptionsIn(folder_);
};

TEST_F(MaintenanceTest, VerifiesAnUntouchedJournal) {
  const auto report = VerifyJournal(options_.path, options_.key_path);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->events, 10);
  EXPECT_EQ(report->incidents, 2);
  EXPECT_EQ(report->pins, 1);
  EXPECT_FALSE(LinkedSqlite().number.empty());
}

TEST_F(MaintenanceTest, NamesTheTamperedRow) {
  struct Case {
    const char* sql;
    const char* says;
  };
  const Case kCases[] = {
      {"UPDATE events SET text = 'nothing happened' WHERE id = 7", "row 7 (incident INC-2025-09-04-002, sequence 2)"},
      {"UPDATE events SET payload = (SELECT payload FROM events WHERE id = 8) WHERE id = 7", "row 7"},
      {"UPDATE events SET time = '2020-01-01T00:00:00.000Z' WHERE id = 7", "row 7"},
      {"UPDATE events SET type = 'IncidentResolved' WHERE id = 3", "row 3"},
      {"UPDATE events SET sequence = 99 WHERE id = 10", "row 10"},
      {"DELETE FROM events WHERE id = 4", "rows 4 to 4 before it are missing"},
      {"UPDATE events SET id = 99 WHERE id = 3; UPDATE events SET id = 3 WHERE id = 4; UPDATE events SET id = 4 WHERE "
       "id = 99",
       "row 3"},
      {"DELETE FROM events WHERE id >= 9", "the end was cut off"},
      {"DELETE FROM events WHERE id >= 9; UPDATE meta SET value = '8' || substr(value, 3) WHERE key = 'head'",
       "head record"},
      {"DELETE FROM events; DELETE FROM meta WHERE key = 'head'; INSERT INTO events SELECT 1, 'a', 1, 't', 't', 't', "
       "x'', x'', 1",
       "row 1"},
      {"UPDATE events SET opened_event = 99 WHERE id = 7", "row 7 (incident INC-2025-09-04-002, sequence 2)"},
      {"UPDATE events SET opened_event = NULL WHERE id = 7", "row 7 (incident INC-2025-09-04-002, sequence 2)"},
      {"PRAGMA user_version = 3; UPDATE events SET opened_event = 99 WHERE id = 7", "row 7"},
      {"UPDATE pins SET content = 'x'", "the policy kept as pin"},
  };
  for (const Case& tampering : kCases) {
    const TemporaryFolder copies;
    const std::string copy = copies / "copy.db";
    ASSERT_TRUE(BackupJournal(options_.path, copy).ok());
    ASSERT_TRUE(VerifyJournal(copy, options_.key_path).ok());
    RunSql(copy, tampering.sql);
    const auto report = VerifyJournal(copy, options_.key_path);
    EXPECT_TRUE(absl::IsDataLoss(report.status())) << tampering.sql << ": " << report.status();
    EXPECT_THAT(report.status().ToString(), HasSubstr(tampering.says)) << tampering.sql;
  }
}

TEST_F(MaintenanceTest, RefusesAnotherKey) {
  const std::string other = folder_ / "other.key";
  ASSERT_TRUE(LoadJournalKey(other, true).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(VerifyJournal(options_.path, other).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(SqliteJournal::Open({options_.path, other, ""}).status()));
  EXPECT_TRUE(absl::IsNotFound(VerifyJournal(folder_ / "none.db", other).status()));
}

TEST_F(MaintenanceTest, RebuildsTheSameTables) {
  std::map<std::string, std::string> before;
  std::vector<std::string> tables = ProjectionTables();
  tables.insert(tables.end(), {"phases", "story"});
  for (const std::string& table : tables) before[table] = Dump(options_.path, "SELECT * FROM " + table);
  EXPECT_THAT(before["alerts"], HasSubstr("|2\n"));
  RunSql(options_.path, "DELETE FROM incidents; UPDATE alerts SET count = 77; DROP VIEW phases; DROP VIEW story");
  const auto events = RebuildProjections(options_.path);
  ASSERT_TRUE(events.ok()) << events.status();
  EXPECT_EQ(*events, 10);
  for (const auto& [table, rows] : before) EXPECT_EQ(Dump(options_.path, "SELECT * FROM " + table), rows) << table;
  EXPECT_EQ(VerifyError(), "ok");
}

TEST_F(MaintenanceTest, RebuildRefusesWhileOmnixdRuns) {
  auto journal = SqliteJournal::Open(options_);
  ASSERT_TRUE(journal.ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(RebuildProjections(options_.path).status()));
}

TEST_F(MaintenanceTest, BacksUpUnderLoad) {
  auto journal = SqliteJournal::Open(options_);
  ASSERT_TRUE(journal.ok()) << journal.status();
  std::atomic<bool> stop = false;
  std::atomic<int> appended = 0;
  std::thread writer([&] {
    for (int i = 3; !stop; ++i) {
      ASSERT_TRUE((*journal)->Append(IncidentBatch(fmt::format("INC-2025-09-04-{:03}", i), 20)).ok());
      ++appended;
    }
  });
  for (int i = 0; i < 5; ++i) {
    const int before = appended;
    while (appended == before) std::this_thread::yield();
    const std::string copy = folder_ / fmt::format("backup{}.db", i);
    const absl::Status status = BackupJournal(options_.path, copy);
    EXPECT_TRUE(status.ok()) << status;
    const auto report = VerifyJournal(copy, options_.key_path);
    EXPECT_TRUE(report.ok()) << report.status();
    EXPECT_FALSE(std::filesystem::exists(copy + "-wal"));
  }
  stop = true;
  writer.join();
  EXPECT_TRUE(absl::IsAlreadyExists(BackupJournal(options_.path, folder_ / "backup0.db")));
  EXPECT_EQ(VerifyError(), "ok");
}

}  // namespace
}  // namespace omnix
