// From one version of the schema to the next: whole or not at all, whenever it is killed, and nothing is lost.
#include "orchestrator/journal/schema.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <regex>

#include "common/file.h"
#include "orchestrator/journal/journal_test_util.h"
#include "orchestrator/journal/kill_at_statement.h"
#include "orchestrator/journal/maintenance.h"
#include "orchestrator/journal/prune.h"

namespace omnix {
namespace {

TEST(Schema, MigratesFromAnOlderVersionOrNotAtAll) {
  const TemporaryFolder folder;
  const std::string path = folder / "migrate.db";
  auto db = *SqliteConnection::Open(path, SqliteConnection::Access::kReadWrite);
  const Migrations first = {"CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1)"};
  ASSERT_TRUE(Migrate(*db, first).ok());
  Migrations broken = first;
  broken.push_back("ALTER TABLE a ADD COLUMN y INTEGER; CREATE TABLE a (x INTEGER)");
  EXPECT_FALSE(Migrate(*db, broken).ok());
  EXPECT_EQ(Dump(path, "SELECT * FROM a"), "1\n") << "half a migration was kept";
  Migrations second = first;
  second.push_back("ALTER TABLE a ADD COLUMN y INTEGER DEFAULT 7");
  ASSERT_TRUE(Migrate(*db, second).ok());
  EXPECT_EQ(Dump(path, "SELECT * FROM a"), "1|7\n");
  EXPECT_EQ(Dump(path, "PRAGMA user_version"), "2\n");
}

// Three versions as a later Omnix could have them: a column, a table filled from another, an index, a table rebuilt.
TEST(Schema, KilledAtEachStatementOfAMigrationItGoesOnAndLosesNothing) {
  const Migrations kOld = {
      "CREATE TABLE log (id INTEGER PRIMARY KEY, text TEXT); INSERT INTO log (text) VALUES ('a'), ('b'), ('c')"};
  Migrations migrations = kOld;
  migrations.push_back("ALTER TABLE log ADD COLUMN size INTEGER; UPDATE log SET size = length(text)");
  migrations.push_back(
      "CREATE TABLE words (word TEXT PRIMARY KEY, id INTEGER); INSERT INTO words SELECT text, id FROM log; "
      "CREATE INDEX log_by_size ON log (size); CREATE TABLE fresh (id INTEGER PRIMARY KEY, text TEXT, size INTEGER); "
      "INSERT INTO fresh SELECT id, text, size FROM log; DROP TABLE log; ALTER TABLE fresh RENAME TO log");
  int killed = 0;
  for (int n = 1;; ++n) {
    const TemporaryFolder folder(FastFolder());
    const std::string path = folder / "journal.db";
    const auto migrate = [&](const Migrations& to) {
      auto db = SqliteConnection::Open(path, SqliteConnection::Access::kReadWrite);
      return db.ok() && (*db)->Execute("PRAGMA journal_mode = WAL").ok() && Migrate(**db, to).ok();
    };
    ASSERT_TRUE(migrate(kOld));
    const bool was_killed = KilledAtStatement(n, [&] { return migrate(migrations); });
    const std::string version = Dump(path, "PRAGMA user_version");
    EXPECT_THAT(version, ::testing::AnyOf("1\n", "3\n")) << "statement " << n;
    EXPECT_EQ(Dump(path, "SELECT id, text FROM log"), "1|a\n2|b\n3|c\n") << "statement " << n;
    ASSERT_TRUE(migrate(migrations)) << "statement " << n;
    EXPECT_EQ(Dump(path, "SELECT id, text, size FROM log"), "1|a|1\n2|b|1\n3|c|1\n") << "statement " << n;
    EXPECT_EQ(Dump(path, "SELECT count(*) FROM words"), "3\n") << "statement " << n;
    if (!was_killed) break;
    ++killed;
  }
  EXPECT_GT(killed, 10);
}

// A journal of each released version, as that version wrote it, is kept in tests/fixtures.
class OldJournal : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    const std::string from = fmt::format("{}/tests/fixtures/journal-v{}/journal", OMNIX_SOURCE_FOLDER, GetParam());
    std::filesystem::copy_file(from + ".db", options_.path);
    std::filesystem::copy_file(from + ".key", options_.key_path);
    ASSERT_EQ(chmod(options_.key_path.c_str(), 0600), 0);
    ASSERT_EQ(chmod(options_.path.c_str(), 0600), 0);
  }

  // What people read, in each version alike. Which events count as a change of an incident's row is each version's own
  // affair, and so is whether an alert's row has the alert.
  static std::vector<std::string> Tables() {
    return {"incidents", "tasks", "alerts", "actions", "approvals", "phases", "story"};
  }
  std::string Rows(const std::string& table) const {
    if (table == "alerts") {
      return Dump(options_.path,
                  "SELECT event, incident, fingerprint, title, severity, status, subject, source, starts_at, ends_at, "
                  "received_at, count FROM alerts");
    }
    if (table != "incidents") return Dump(options_.path, "SELECT * FROM " + table + " ORDER BY 1, 2");
    return Dump(
        options_.path,
        "SELECT opened_event, id, title, severity, phase, paused, opened_at, opened_by, started_at, budget_until, "
        "resolved_at, ended_reason, alerts, cause, explanation, plan_hash, resources, agents, playbook_hash, "
        "system_hash, policy_hash FROM incidents");
  }

  static constexpr char kEvents[] =
      "SELECT id, incident, sequence, time, type, text, hex(payload), hex(chain) FROM events ORDER BY id";

  const TemporaryFolder folder_;
  const SqliteJournalOptions options_ = OptionsIn(folder_);
};

TEST_P(OldJournal, IsReplayedToTheSameTables) {
  const std::string events = Dump(options_.path, kEvents);
  std::map<std::string, std::string> tables;
  for (const std::string& table : Tables()) tables[table] = Rows(table);
  const auto before = VerifyJournal(options_.path, options_.key_path);
  ASSERT_TRUE(before.ok()) << "can't be verified before it is brought up to date: " << before.status();
  EXPECT_EQ(Dump(options_.path, "PRAGMA user_version"), fmt::format("{}\n", GetParam())) << "verify changed it";

  auto journal = SqliteJournal::Open(options_);
  ASSERT_TRUE(journal.ok()) << journal.status();
  EXPECT_EQ(Dump(options_.path, "PRAGMA user_version"), fmt::format("{}\n", SchemaVersion()));
  EXPECT_EQ(Dump(options_.path, kEvents), events);
  for (const auto& [table, rows] : tables) EXPECT_EQ(Rows(table), rows) << table << ", brought up to date";
  uint64_t visited = 0;
  const auto open = (*journal)->OpenIncidentIds();
  ASSERT_TRUE(open.ok()) << open.status();
  for (const std::string& id : *open) {
    ASSERT_TRUE((*journal)->VisitEvents(id, [&](const v1::Event&) { ++visited; }).ok());
  }
  EXPECT_EQ(visited, 7u + 11u + 21u);
  const auto alerts = (*journal)->ListAlerts(/*firing_only=*/false, 10);
  ASSERT_TRUE(alerts.ok()) << alerts.status();
  EXPECT_EQ(alerts->size(), 5u);
  journal->reset();
  ASSERT_TRUE(RebuildProjections(options_.path).ok());
  for (const auto& [table, rows] : tables) EXPECT_EQ(Rows(table), rows) << table << ", rebuilt";

  journal = SqliteJournal::Open(options_);
  Batch more;
  more.events = {NoteEvent("INC-2025-09-04-004", 12)};
  EXPECT_TRUE((*journal)->Append(more).ok());
  const auto after = VerifyJournal(options_.path, options_.key_path);
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(after->events, before->events + 1);
}

TEST_P(OldJournal, WithBrokenTablesIsRebuilt) {
  std::map<std::string, std::string> tables;
  for (const std::string& table : Tables()) tables[table] = Rows(table);
  RunSql(options_.path, GetParam() < 4 ? "DROP TABLE phases" : "DROP VIEW phases; DROP TABLE visits");
  RunSql(options_.path,
         "DROP VIEW story; DROP TABLE incidents; DELETE FROM tasks; UPDATE alerts SET incident = 'x' || incident");
  const auto events = RebuildProjections(options_.path);
  ASSERT_TRUE(events.ok()) << events.status();
  for (const auto& [table, rows] : tables) EXPECT_EQ(Rows(table), rows) << table;
  EXPECT_EQ(Dump(options_.path, "PRAGMA user_version"), fmt::format("{}\n", SchemaVersion()));
}

// Whichever way it came to this version.
TEST_P(OldJournal, GetsTheSchemaOfANewOne) {
  // A comment may have been mended since.
  const auto schema = [](const std::string& path) {
    const std::string all = Dump(path, "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name");
    return std::regex_replace(std::regex_replace(all, std::regex("--[^\n]*"), ""), std::regex(" *\n *"), "\n");
  };
  const TemporaryFolder other;
  ASSERT_TRUE(SqliteJournal::Open(OptionsIn(other)).ok());
  const std::string expected = schema(other / "journal.db");
  const std::string rebuilt = folder_ / "rebuilt.db";
  std::filesystem::copy_file(options_.path, rebuilt);

  ASSERT_TRUE(SqliteJournal::Open(options_).ok());
  EXPECT_EQ(schema(options_.path), expected) << "brought up to date";
  ASSERT_TRUE(RebuildProjections(options_.path).ok());
  EXPECT_EQ(schema(options_.path), expected) << "brought up to date, then rebuilt";
  ASSERT_TRUE(RebuildProjections(rebuilt).ok());
  EXPECT_EQ(schema(rebuilt), expected) << "rebuilt";
}

TEST_P(OldJournal, KeepsTheViewsOfOthers) {
  RunSql(options_.path, "CREATE VIEW mine AS SELECT t.id, a.title FROM tasks t JOIN alerts a USING (incident)");
  const std::string before = Dump(options_.path, "SELECT * FROM mine ORDER BY 1, 2");
  const auto journal = SqliteJournal::Open(options_);
  ASSERT_TRUE(journal.ok()) << journal.status();
  EXPECT_EQ(Dump(options_.path, "SELECT * FROM mine ORDER BY 1, 2"), before);
}

TEST_P(OldJournal, IsLeftAsItIsWhereItsKeyIsAnother) {
  SqliteJournalOptions wrong = options_;
  wrong.key_path = folder_ / "wrong.key";
  ASSERT_TRUE(LoadJournalKey(wrong.key_path, /*create=*/true).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(SqliteJournal::Open(wrong).status()));
  EXPECT_EQ(Dump(options_.path, "PRAGMA user_version"), fmt::format("{}\n", GetParam()));
}

TEST_P(OldJournal, WhoseEndWasCutOffIsRefusedAndLeftAsItIs) {
  RunSql(options_.path, "DELETE FROM events WHERE id = (SELECT max(id) FROM events)");
  EXPECT_TRUE(absl::IsDataLoss(SqliteJournal::Open(options_).status()));
  PruneOptions options;
  options.now = absl::Now();
  options.before = options.now - absl::Hours(100);
  EXPECT_TRUE(absl::IsDataLoss(PruneJournal(options_.path, options_.key_path, options).status()));
  EXPECT_EQ(Dump(options_.path, "PRAGMA user_version"), fmt::format("{}\n", GetParam()));
}

TEST_P(OldJournal, LeavesNoLargeLogOnceItIsBroughtUpToDate) {
  const auto journal = SqliteJournal::Open(options_);
  ASSERT_TRUE(journal.ok()) << journal.status();
  EXPECT_EQ(std::filesystem::file_size(options_.path + "-wal"), 0u);
}

// It says no more with which key it was begun; what does say so are its rows.
TEST_P(OldJournal, WithoutTheMarkOfItsKeyTakesNoOther) {
  RunSql(options_.path, "DELETE FROM meta WHERE key = 'key_id'");
  SqliteJournalOptions wrong = options_;
  wrong.key_path = folder_ / "wrong.key";
  ASSERT_TRUE(LoadJournalKey(wrong.key_path, /*create=*/true).ok());
  EXPECT_TRUE(absl::IsDataLoss(SqliteJournal::Open(wrong).status()));
  const auto journal = SqliteJournal::Open(options_);
  EXPECT_TRUE(journal.ok()) << journal.status();
  EXPECT_EQ(Dump(options_.path, "SELECT count(*) FROM meta WHERE key = 'key_id'"), "1\n");
}

// A backup that began meanwhile keeps the log from being emptied: no reason not to start.
TEST_P(OldJournal, IsOpenedWhileAnotherProgramReads) {
  {
    ASSERT_TRUE(SqliteConnection::Open(options_.path, SqliteConnection::Access::kReadWrite)
                    .value()
                    ->Execute("PRAGMA journal_mode = WAL")
                    .ok());
  }
  auto reader = *SqliteConnection::Open(options_.path, SqliteConnection::Access::kReadOnly);
  ASSERT_TRUE(reader->Execute("BEGIN").ok());
  ASSERT_TRUE(reader->Integer("SELECT count(*) FROM events").ok());
  const auto journal = SqliteJournal::Open(options_);
  EXPECT_TRUE(journal.ok()) << journal.status();
  EXPECT_EQ(*reader->Integer("SELECT count(*) FROM events"), 24 + 7 + 7 + 11 + 21);
}

TEST_P(OldJournal, IsReadByADryRunOfPruneWithoutBeingChanged) {
  PruneOptions options;
  options.now = absl::Now();
  options.before = options.now - absl::Hours(100);
  options.dry_run = true;
  const auto report = PruneJournal(options_.path, options_.key_path, options);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->incidents, 2) << "one is resolved, one cancelled";
  EXPECT_EQ(Dump(options_.path, "PRAGMA user_version"), fmt::format("{}\n", GetParam()));
}

TEST_P(OldJournal, KilledAtEachStatementOfItsFirstOpeningLosesNothing) {
  const std::string original = *ReadFile(options_.path);
  const std::string events = Dump(options_.path, kEvents);
  int killed = 0;
  for (int n = 1;; ++n) {
    const TemporaryFolder copies(FastFolder());
    const SqliteJournalOptions copy = {copies / "journal.db", options_.key_path, ""};
    ASSERT_TRUE(ReplaceFile(copy.path, original, 0600).ok());
    const bool was_killed = KilledAtStatement(n, [&] { return SqliteJournal::Open(copy).ok(); });
    auto journal = SqliteJournal::Open(copy);
    ASSERT_TRUE(journal.ok()) << "statement " << n << ": " << journal.status();
    EXPECT_EQ(Dump(copy.path, kEvents), events) << "statement " << n;
    journal->reset();
    ASSERT_TRUE(VerifyJournal(copy.path, copy.key_path).ok()) << "statement " << n;
    if (!was_killed) break;
    ++killed;
  }
  EXPECT_GT(killed, 10);
}

INSTANTIATE_TEST_SUITE_P(Each, OldJournal, ::testing::Values(1, 3, 4));

}  // namespace
}  // namespace omnix
