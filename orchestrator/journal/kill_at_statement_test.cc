#include "orchestrator/journal/kill_at_statement.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include "orchestrator/journal/journal_test_util.h"
#include "orchestrator/journal/sqlite_connection.h"

namespace omnix {
namespace {

// Of the child process.
int statements_left = 0;

int OnStatement(unsigned, void*, void*, void*) {
  if (--statements_left == 0) kill(getpid(), SIGKILL);
  return 0;
}

int OnConnection(sqlite3* db, char**, const sqlite3_api_routines*) {
  return sqlite3_trace_v2(db, SQLITE_TRACE_STMT, OnStatement, nullptr);
}

}  // namespace

bool KilledAtStatement(int n, const std::function<bool()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    statements_left = n;
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(OnConnection));
    _exit(body() ? 0 : 1);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return true;
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "the child failed at its own: " << status;
  return false;
}

namespace {

TEST(KillAtStatement, KillsWhereItSays) {
  const TemporaryFolder folder;
  const std::string path = folder / "a.db";
  const auto body = [&] {
    auto db = SqliteConnection::Open(path, SqliteConnection::Access::kReadWrite);
    return db.ok() && (*db)->Execute("CREATE TABLE IF NOT EXISTS a (x); INSERT INTO a VALUES (1)").ok();
  };
  EXPECT_TRUE(KilledAtStatement(2, body));
  EXPECT_EQ(Dump(path, "SELECT count(*) FROM a"), "0\n") << "killed too late";
  EXPECT_FALSE(KilledAtStatement(3, body));
  EXPECT_EQ(Dump(path, "SELECT count(*) FROM a"), "1\n");
}

}  // namespace
}  // namespace omnix
