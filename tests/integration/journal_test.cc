// omnixd and its journal's file: what it refuses to touch, and what it does when its disk is full or a person holds the
// file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "common/http_client.h"
#include "common/process.h"
#include "tests/support/stack.h"
#include "tests/support/world.h"

namespace omnix {
namespace {

using ::testing::HasSubstr;
using testing::RunToEnd;
using testing::Slurp;
using testing::Spill;
using testing::Stack;
using testing::TemporaryFolder;
using testing::WaitUntil;

constexpr absl::Duration kGoesOnWithin = absl::Seconds(5);

std::string SystemFile() { return testing::SourceFolder() + "/deploy/examples/system.yaml"; }

std::vector<std::string> Omnixd(const std::string& data, std::vector<std::string> before = {}) {
  std::vector<std::string> argv = std::move(before);
  for (const std::string& word :
       {testing::BinFolder() + "/omnixd", std::string("--data"), data, std::string("--system"), SystemFile(),
        std::string("--grpc"), std::string("127.0.0.1:0"), std::string("--http"), std::string("127.0.0.1:0")}) {
    argv.push_back(word);
  }
  return argv;
}

std::string Sql(const std::string& file, const std::string& sql) { return RunToEnd({"sqlite3", file, sql}).out; }

// A folder with a journal as omnixd leaves it.
std::string JournalIn(const TemporaryFolder& folder) {
  Stack stack(folder.path(), {SystemFile(), "", ""});
  stack.StartOrchestrator();
  EXPECT_FALSE(stack.Open("Checkout fails").empty());
  EXPECT_EQ(stack.program("omnixd").Terminate(), 0);
  return folder / "data";
}

TEST(JournalFile, OfANewerOmnixIsRefusedUntouched) {
  const TemporaryFolder folder;
  const std::string data = JournalIn(folder);
  Sql(data + "/journal.db", "PRAGMA user_version = 99");
  const std::string before = Slurp(data + "/journal.db");
  const auto ran = RunToEnd(Omnixd(data));
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.out, HasSubstr("schema version 99"));
  EXPECT_THAT(ran.out, HasSubstr("use a newer omnixd"));
  EXPECT_TRUE(Slurp(data + "/journal.db") == before);
}

TEST(JournalFile, ThatIsNoneIsRefusedUntouched) {
  const std::string kTexts[] = {std::string(10'000, 'x'), "not a database\n"};
  for (const std::string& text : kTexts) {
    const TemporaryFolder folder;
    Spill(folder / "journal.db", text);
    const auto ran = RunToEnd(Omnixd(folder.path()));
    EXPECT_EQ(ran.exit_code, 2) << ran.out;
    EXPECT_THAT(ran.out, HasSubstr(folder / "journal.db: this is no SQLite database"));
    EXPECT_EQ(Slurp(folder / "journal.db"), text);
    EXPECT_FALSE(std::filesystem::exists(folder / "journal.key"));
  }
  const TemporaryFolder folder;
  Sql(folder / "journal.db", "CREATE TABLE addresses (name TEXT); INSERT INTO addresses VALUES ('a')");
  const std::string before = Slurp(folder / "journal.db");
  const auto ran = RunToEnd(Omnixd(folder.path()));
  EXPECT_EQ(ran.exit_code, 2) << ran.out;
  EXPECT_THAT(ran.out, HasSubstr("this database is no Omnix journal"));
  EXPECT_TRUE(Slurp(folder / "journal.db") == before);
}

TEST(JournalFile, InAFolderWithoutPermissionIsRefused) {
  const TemporaryFolder folder;
  const std::string data = JournalIn(folder);
  const std::string before = Slurp(data + "/journal.db");
  ASSERT_EQ(chmod(folder.path().c_str(), 0755), 0);
  // Root may write anywhere.
  std::vector<std::string> as_nobody;
  if (getuid() == 0) {
    as_nobody = {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
    std::vector<std::string> look = as_nobody;
    look.insert(look.end(), {"test", "-x", testing::BinFolder() + "/omnixd"});
    if (RunToEnd(look).exit_code != 0)
      GTEST_SKIP() << "other users can't reach " << testing::BinFolder() << ": not tested";
  }
  for (const mode_t mode : {0555u, 0700u}) {
    if (getuid() != 0 && mode == 0700u) continue;
    ASSERT_EQ(chmod(data.c_str(), mode), 0);
    const auto ran = RunToEnd(Omnixd(data, as_nobody));
    ASSERT_EQ(chmod(data.c_str(), 0755), 0);
    EXPECT_EQ(ran.exit_code, 2) << ran.out;
    EXPECT_THAT(ran.out, HasSubstr(data));
    EXPECT_THAT(ran.out, HasSubstr("Permission denied"));
    EXPECT_TRUE(Slurp(data + "/journal.db") == before);
  }
}

// HTTP status of an alert.
int SendAlert(Stack& stack, const std::string& fingerprint, const std::string& text = "") {
  HttpRequest request;
  request.method = "POST";
  request.url = "http://127.0.0.1:" + std::to_string(stack.http_port()) + "/v1/alerts/alertmanager";
  request.headers = {{"Content-Type", "application/json"}};
  request.body = R"({"version":"4","status":"firing","alerts":[{"status":"firing","labels":{"alertname":")" +
                 fingerprint + R"("},"annotations":{"description":")" + text +
                 R"("},"startsAt":"2025-09-04T07:00:00Z","fingerprint":")" + fingerprint + R"("}]})";
  const auto response = SendHttp(request);
  return response.ok() ? response->status : 0;
}

// Sends alerts with much text until one is refused; gives how many were taken.
int FillUp(Stack& stack) {
  constexpr int kMost = 500;
  int taken = 0;
  while (taken < kMost && SendAlert(stack, "fill-" + std::to_string(taken), std::string(50'000, 'x')) == 200) ++taken;
  return taken;
}

std::string JournalState(Stack& stack) {
  grpc::ClientContext context;
  v1::GetStatusResponse status;
  EXPECT_TRUE(stack.api().GetStatus(&context, {}, &status).ok());
  return status.journal();
}

TEST(JournalFile, OnAFullDiskWorkIsRefusedUntilThereIsRoom) {
  const TemporaryFolder folder;
  const std::string data = folder / "data";
  std::filesystem::create_directories(data);
  if (mount("tmpfs", data.c_str(), "tmpfs", 0, "size=6m") != 0) {
    GTEST_SKIP() << "no small disk can be mounted here: " << std::strerror(errno);
  }
  int taken = 0;
  {
    Stack stack(folder.path(), {SystemFile(), "", ""});
    stack.StartOrchestrator();
    taken = FillUp(stack);
    EXPECT_GT(taken, 5);
    EXPECT_EQ(SendAlert(stack, "refused"), 503);
    EXPECT_THAT(JournalState(stack), HasSubstr("the disk is full: free some space"));
    EXPECT_EQ(mount("tmpfs", data.c_str(), "tmpfs", MS_REMOUNT, "size=64m"), 0);
    EXPECT_TRUE(WaitUntil([&] { return SendAlert(stack, "after") == 200; }, kGoesOnWithin)) << stack.Logs();
    EXPECT_EQ(stack.program("omnixd").Terminate(), 0);
  }
  EXPECT_EQ(RunToEnd({testing::BinFolder() + "/omnix", "journal", "verify", "--data", data}).exit_code, 0);
  const int kept = std::stoi(Sql(data + "/journal.db", "SELECT count(*) FROM alerts WHERE fingerprint LIKE 'fill-%'"));
  EXPECT_GE(kept, taken);
  EXPECT_EQ(umount2(data.c_str(), MNT_DETACH), 0);
}

TEST(JournalFile, HeldByAPersonsShellAndBackedUpItGoesOn) {
  const TemporaryFolder folder;
  Stack stack(folder.path(), {SystemFile(), "", ""});
  stack.StartOrchestrator();
  const std::string file = folder / "data/journal.db";
  constexpr int kMostSent = 2'000;
  // Holds a read transaction until it is ended.
  testing::Program shell({"sqlite3", "-readonly", file,
                          "BEGIN; SELECT count(*) FROM events; WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 "
                          "FROM c) SELECT max(x) FROM c;"},
                         folder / "shell");
  // So large it does not grow without a reader.
  int taken = 0;
  while (!std::filesystem::exists(file + "-wal") || std::filesystem::file_size(file + "-wal") < (3u << 20)) {
    ASSERT_EQ(SendAlert(stack, "held-" + std::to_string(taken++), std::string(50'000, 'x')), 200) << stack.Logs();
    ASSERT_LT(taken, kMostSent);
  }
  const auto copy =
      RunToEnd({testing::BinFolder() + "/omnix", "journal", "backup", folder / "copy.db", "--data", folder / "data"});
  EXPECT_EQ(copy.exit_code, 0) << copy.out;
  shell.Kill();
  EXPECT_EQ(SendAlert(stack, "after"), 200);
  EXPECT_EQ(SendAlert(stack, "after-2"), 200);
  EXPECT_EQ(stack.program("omnixd").Terminate(), 0);
  EXPECT_EQ(Sql(file, "SELECT count(*) FROM alerts WHERE fingerprint LIKE 'held-%'"), std::to_string(taken) + "\n");
}

}  // namespace
}  // namespace omnix
