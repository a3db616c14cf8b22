#include "agents/investigation/postgres_processes.h"

#include <gtest/gtest.h>

namespace omnix {
namespace {

TEST(ParsePostgresTitle, ReadsSessionsAndLeavesOutWorkers) {
  const auto session = ParsePostgresTitle("postgres: 15/main: shop orders 127.0.0.1(51234) idle in transaction");
  ASSERT_TRUE(session.has_value());
  EXPECT_EQ(session->user, "shop");
  EXPECT_EQ(session->database, "orders");
  EXPECT_EQ(session->client, "127.0.0.1(51234)");
  EXPECT_EQ(session->doing, "idle in transaction");
  EXPECT_EQ(ParsePostgresTitle("postgres: shop orders [local] SELECT waiting")->doing, "SELECT waiting");
  for (const char* other :
       {"postgres: checkpointer ", "postgres: 15/main: autovacuum launcher ", "/usr/bin/postgres -D x"})
    EXPECT_FALSE(ParsePostgresTitle(other).has_value()) << other;
}

}  // namespace
}  // namespace omnix
