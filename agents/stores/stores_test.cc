#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/stores/blocking.h"
#include "agents/stores/postgres_dsn.h"
#include "agents/stores/statement.h"

namespace omnix {
namespace {

using testing::HasSubstr;

TEST(MaskLiterals, LeavesNothingOfWhatUsersTyped) {
  EXPECT_EQ(MaskLiterals("SELECT * FROM t1 WHERE name = 'O''Brien' AND n > 4.5 LIMIT $1"),
            "SELECT * FROM t1 WHERE name = ? AND n > ? LIMIT $1");
  EXPECT_EQ(MaskLiterals("UPDATE u SET note = $tag$ it's $1 $tag$, x = E'a\\'b' -- secret\n WHERE id=7"),
            "UPDATE u SET note = ?, x = E? WHERE id=?");
  EXPECT_EQ(MaskLiterals("SELECT 'cut off in the mid"), "SELECT ?");
  EXPECT_EQ(MaskLiterals("SELECT /* a 1 */ \"Col\" FROM $broken"), "SELECT \"Col\" FROM $broken");
  EXPECT_EQ(MaskLiterals(""), "");
}

TEST(PostgresDsn, IsReadInTheFormsThatProgramsUse) {
  for (const char* text : {"postgresql://shop:p%40ss@db.local:6432/shop?sslmode=disable",
                           "postgres+psycopg2://shop:p%40ss@db.local:6432/shop",
                           "jdbc:postgresql://db.local:6432/shop?user=shop&password=p%40ss",
                           "host=db.local port=6432 user=shop password='p@ss' dbname=shop",
                           "Host=db.local;Port=6432;Username=shop;Password=p@ss;Database=shop"}) {
    const auto dsn = ParsePostgresDsn(text);
    ASSERT_TRUE(dsn.has_value()) << text;
    EXPECT_EQ(dsn->Address(), "db.local:6432") << text;
    EXPECT_EQ(dsn->user, "shop") << text;
    EXPECT_EQ(dsn->password, "p@ss") << text;
    EXPECT_EQ(dsn->database, "shop") << text;
  }
  EXPECT_EQ(ParsePostgresDsn("postgres://localhost/shop")->Address(), "127.0.0.1:5432");
}

TEST(PostgresDsn, OtherTextsAreNone) {
  for (const char* text : {"", "redis://localhost:6379/0", "http://db.local:5432/", "mysql://a:b@db/shop", "shop",
                           "a;b=c", "jdbc:mysql://db/shop"})
    EXPECT_FALSE(ParsePostgresDsn(text).has_value()) << text;
  EXPECT_FALSE(ParsePostgresDsn(std::string(kMaxDsnBytes + 1, 'x')).has_value());
}

TEST(PostgresDsn, QuotesWhatLibpqWouldSplit) {
  PostgresDsn dsn;
  dsn.host = "db";
  dsn.password = "it's \\ here";
  const auto again = ParsePostgresDsn(ToConnectionString(dsn));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->password, dsn.password);
}

PostgresBackend Session(int pid, std::vector<int> blocked_by, double age) {
  PostgresBackend session;
  session.pid = pid;
  session.blocked_by = std::move(blocked_by);
  session.query_age = age;
  return session;
}

TEST(LockChains, LeadToTheSessionThatWaitsForNobody) {
  PostgresState state;
  state.sessions = {Session(1, {}, 60), Session(2, {1}, 5), Session(3, {2}, 4), Session(4, {0}, 9), Session(5, {}, 1)};
  const auto chains = LockChains(state);
  ASSERT_EQ(chains.size(), 2u);
  EXPECT_EQ(chains[0].holder_pid, 0);
  EXPECT_EQ(chains[0].holder, nullptr);
  EXPECT_EQ(chains[1].holder_pid, 1);
  ASSERT_EQ(chains[1].waiters.size(), 2u);
  EXPECT_EQ(chains[1].waiters[0]->pid, 2);
  EXPECT_EQ(chains[1].waited_seconds, 5);
}

TEST(LockChains, ACircleHasNoEndAndIsNone) {
  PostgresState state;
  state.sessions = {Session(1, {2}, 5), Session(2, {1}, 5)};
  EXPECT_TRUE(LockChains(state).empty());
}

}  // namespace
}  // namespace omnix
