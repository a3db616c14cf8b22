// `omnix journal` on real journals.
#include <gmock/gmock.h>
#include <sqlite3.h>

#include <sstream>

#include "cli/cli.h"
#include "common/json.h"
#include "orchestrator/journal/journal_test_util.h"
#include "orchestrator/journal/maintenance.h"
#include "orchestrator/journal/silence_log.h"
#include "orchestrator/journal/story_journal.h"

namespace omnix {
namespace {

using ::testing::HasSubstr;

struct Ran {
  int code;
  std::string out;
  std::string err;
};

Ran Omnix(std::vector<std::string> args) {
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  const SystemClock clock;
  CliIo io{in, out, err, clock};
  const int code = RunCli(args, io);
  return {code, out.str(), err.str()};
}

class JournalCommands : public ::testing::Test {
 protected:
  void SetUp() override {
    journal_ = *SqliteJournal::Open(options_);
    ASSERT_TRUE(journal_->Append(StoryBatch(testing::Resolved(), "INC-2025-09-04-001")).ok());
    ASSERT_TRUE(journal_->Append(StoryBatch(testing::Planned(), "INC-2025-09-04-002")).ok());
  }

  Ran Run(const std::string& verb, std::vector<std::string> more = {}) {
    std::vector<std::string> args = {"journal", verb, "--data", folder_.path()};
    args.insert(args.end(), more.begin(), more.end());
    return Omnix(args);
  }

  void WriteSilences(size_t events) {
    auto log = SilenceLog::Open(folder_ / "silences.db", *LoadJournalKey(options_.key_path, /*create=*/false));
    ASSERT_TRUE(log.ok()) << log.status();
    v1::SilenceEvent added;
    added.set_silence_id("SIL-1");
    added.mutable_added()->set_id("SIL-1");
    ASSERT_TRUE((*log)->Append(std::vector<v1::SilenceEvent>(events, added)).ok());
  }

  TemporaryFolder folder_;
  const SqliteJournalOptions options_ = OptionsIn(folder_);
  // As a running omnixd has it open.
  std::unique_ptr<SqliteJournal> journal_;
};

TEST_F(JournalCommands, VerifiesBesideARunningOmnixd) {
  const Ran table = Run("verify");
  EXPECT_EQ(table.code, 0) << table.err;
  EXPECT_THAT(table.out, HasSubstr("journal.db: sound"));
  EXPECT_THAT(table.out, HasSubstr(sqlite3_libversion()));
  EXPECT_EQ(table.out.find("mended in 3.51.3") != std::string::npos, sqlite3_libversion_number() < 3'051'003);
  const Ran json = Run("verify", {"-o", "json"});
  EXPECT_EQ(json.code, 0);
  const Json answer = Json::parse(json.out);
  EXPECT_EQ(answer["sound"], true);
  EXPECT_EQ(answer["events"], "34");
  EXPECT_EQ(answer["last_row"], "34");
}

TEST_F(JournalCommands, SaysWhatIsWrongWithATamperedJournal) {
  journal_.reset();
  RunSql(options_.path, "UPDATE events SET text = 'nothing' WHERE id = 7");
  const Ran table = Run("verify");
  EXPECT_EQ(table.code, 1);
  EXPECT_THAT(table.err, HasSubstr("row 7 (incident INC-2025-09-04-001, sequence 7)"));
  const Ran json = Run("verify", {"-o", "json"});
  EXPECT_EQ(json.code, 1);
  EXPECT_EQ(Json::parse(json.out)["sound"], false);
  EXPECT_THAT(std::string(Json::parse(json.out)["error"]), HasSubstr("row 7"));
}

TEST_F(JournalCommands, BacksUpBesideARunningOmnixdAndVerifiesTheCopy) {
  const std::string copy = folder_ / "copy.db";
  const Ran backup = Run("backup", {copy});
  EXPECT_EQ(backup.code, 0) << backup.err;
  EXPECT_THAT(backup.out, HasSubstr(copy));
  EXPECT_EQ(Run("verify", {copy}).code, 0);
  const Ran again = Run("backup", {copy});
  EXPECT_EQ(again.code, 1);
  EXPECT_THAT(again.err, HasSubstr("never overwrites"));
  const Ran nowhere = Run("backup", {folder_ / "none/copy.db"});
  EXPECT_EQ(nowhere.code, 1) << "the exit code of an omnixd that can't be reached";
  EXPECT_THAT(nowhere.err, HasSubstr("check that the folder exists"));
}

TEST_F(JournalCommands, BacksUpAndVerifiesTheSilencesAsWell) {
  WriteSilences(1);
  const std::string copy = folder_ / "copy.db";
  const Ran backup = Run("backup", {copy, "-o", "json"});
  EXPECT_EQ(backup.code, 0) << backup.err;
  EXPECT_EQ(Json::parse(backup.out)["silences"], copy + ".silences");
  const Ran verified = Run("verify", {copy, "-o", "json"});
  EXPECT_EQ(verified.code, 0) << verified.err;
  EXPECT_EQ(Json::parse(verified.out)["silence_events"], "1");
  RunSql(copy + ".silences", "UPDATE silence_events SET payload = x'00'");
  EXPECT_EQ(Run("verify", {copy}).code, 1);
  EXPECT_EQ(Run("verify").code, 0) << "the backup alone was changed";
  const Ran again = Run("backup", {copy});
  EXPECT_EQ(again.code, 1);
  EXPECT_THAT(again.err, HasSubstr("never overwrites"));
}

TEST_F(JournalCommands, TamperedSilencesAreFoundAndNothingIsPruned) {
  WriteSilences(2);
  journal_.reset();
  RunSql(folder_ / "silences.db", "DELETE FROM silence_events WHERE sequence = 2");
  const Ran verified = Run("verify");
  EXPECT_EQ(verified.code, 1);
  EXPECT_THAT(verified.err, HasSubstr("silences.db: it ends with row 1, but row 2 was the last"));
  const Ran pruned = Run("prune", {"--older-than", "30d"});
  EXPECT_EQ(pruned.code, 1);
  EXPECT_THAT(pruned.err, HasSubstr("silences.db"));
  EXPECT_TRUE(VerifyJournal(options_.path, options_.key_path).ok());
  EXPECT_EQ(VerifyJournal(options_.path, options_.key_path)->events, 34) << "nothing of the journal went";
}

TEST_F(JournalCommands, PrunesAndRebuildsOnceOmnixdIsStopped) {
  const Ran dry = Run("prune", {"--older-than", "30d", "--dry-run", "-o", "json"});
  EXPECT_EQ(dry.code, 0) << dry.err;
  EXPECT_EQ(Json::parse(dry.out)["incidents"], "1");
  for (const Ran& refused : {Run("prune", {"--older-than", "30d"}), Run("rebuild")}) {
    EXPECT_EQ(refused.code, 1);
    EXPECT_THAT(refused.err, HasSubstr("has this journal open: stop it"));
  }
  journal_.reset();
  const Ran pruned = Run("prune", {"--older-than", "30d"});
  EXPECT_EQ(pruned.code, 0) << pruned.err;
  EXPECT_THAT(pruned.out, HasSubstr("Removed 1 closed incident of "));
  EXPECT_THAT(pruned.out, HasSubstr("24 events and 1 unused pin; 0 ended silences."));
  const Ran rebuilt = Run("rebuild");
  EXPECT_EQ(rebuilt.code, 0) << rebuilt.err;
  EXPECT_THAT(rebuilt.out, HasSubstr("10 events"));
  EXPECT_THAT(Run("verify").out, HasSubstr("10 (24 more were pruned)"));
}

TEST_F(JournalCommands, RefusesWhatMeansNothing) {
  for (const char* age : {"", "d", "90", "90x", "-3d", "1e3d", "99999999999d", "1d"}) {
    const Ran ran = Run("prune", {std::string("--older-than=") + age});
    EXPECT_EQ(ran.code, 2) << age << ran.out << ran.err;
  }
  EXPECT_EQ(Run("prune").code, 2);
  EXPECT_EQ(Omnix({"journal", "verify"}).code, 2);
  EXPECT_EQ(Omnix({"journal"}).code, 2);
  const Ran none = Omnix({"journal", "verify", "--data", folder_ / "none"});
  EXPECT_EQ(none.code, 1);
  EXPECT_THAT(none.err, HasSubstr("there is no such journal"));
}

TEST_F(JournalCommands, CompletesVerbsAndOptions) {
  EXPECT_EQ(Omnix({"__complete", "journal", ""}).out, "backup\nprune\nrebuild\nverify\n");
  EXPECT_EQ(Omnix({"__complete", "journal", "prune", "--d"}).out, "--data\n--dry-run\n");
}

}  // namespace
}  // namespace omnix
