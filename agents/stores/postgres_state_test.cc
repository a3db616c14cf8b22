// Against a real server.
#include "agents/stores/postgres_state.h"

#include <gmock/gmock.h>

#include <thread>

#include "agents/stores/blocking.h"
#include "agents/stores/test_postgres.h"

namespace omnix {
namespace {

using testing::HasSubstr;
using testing::Not;

PostgresLook Short() {
  PostgresLook look;
  look.looks = 2;
  return look;
}

TEST(PostgresState, OfAServerThatIsWell) {
  const TestPostgres server("max_connections = 30");
  const PostgresState state = ReadPostgresState(server.Url(), Short());
  EXPECT_EQ(state.refusal, Refusal::kNone) << state.error;
  EXPECT_EQ(state.max_connections, 30);
  EXPECT_GT(state.reserved, 0);
  EXPECT_FALSE(state.read_only);
  EXPECT_FALSE(state.standby);
  EXPECT_EQ(state.open_sessions, 0);
  EXPECT_GT(state.size_bytes, 0);
  EXPECT_TRUE(state.unknown.empty()) << state.unknown[0];
}

TEST(PostgresState, SaysWhoIsBlockedByWhomAndForHowLong) {
  const TestPostgres server;
  server.Sql("CREATE TABLE orders (id int)");
  PostgresSession holder(server.Url(), Countdown(absl::Seconds(10)));
  ASSERT_TRUE(holder.Query("BEGIN; LOCK TABLE orders; SELECT 'abc' AS secret", Countdown(absl::Seconds(10))).ok());
  std::jthread waiter([&] {
    PostgresSession session(server.Url(), Countdown(absl::Seconds(10)));
    EXPECT_TRUE(session.Query("SELECT * FROM orders", Countdown(absl::Seconds(30))).ok());
  });
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  std::vector<LockChain> chains;
  PostgresState state;
  while (chains.empty() && absl::Now() < deadline) {
    state = ReadPostgresState(server.Url(), Short());
    chains = LockChains(state);
  }
  ASSERT_EQ(chains.size(), 1u);
  ASSERT_NE(chains[0].holder, nullptr);
  EXPECT_EQ(chains[0].holder->state, "idle in transaction");
  EXPECT_THAT(chains[0].holder->query, Not(HasSubstr("abc")));
  EXPECT_EQ(chains[0].waiters[0]->wants, "AccessShareLock on orders");
  EXPECT_TRUE(holder.Query("ROLLBACK", Countdown(absl::Seconds(10))).ok());
}

TEST(PostgresState, TellsWhyItWasRefused) {
  const TestPostgres server;
  server.Sql("CREATE ROLE shop LOGIN PASSWORD 'right'; CREATE ROLE few LOGIN PASSWORD 'x' CONNECTION LIMIT 0");
  const auto refusal = [&](const std::string& url) {
    const PostgresState state = ReadPostgresState(url, Short());
    EXPECT_THAT(state.error, Not(HasSubstr("wrong-one")));
    return std::pair(state.refusal, state.code);
  };
  EXPECT_EQ(refusal(server.Url("shop", "right")).first, Refusal::kNone);
  EXPECT_EQ(refusal(server.Url("shop", "wrong-one")), std::pair(Refusal::kCredentials, std::string("28P01")));
  EXPECT_EQ(refusal(server.Url("shop", "right", "nowhere")), std::pair(Refusal::kNoDatabase, std::string("3D000")));
  EXPECT_EQ(refusal(server.Url("few", "x")), std::pair(Refusal::kTooMany, std::string("53300")));
  EXPECT_EQ(refusal("postgresql://shop:x@127.0.0.1:1/shop").first, Refusal::kUnreachable);
}

TEST(PostgresState, ReadOnlyIsTheServersAndNotThisSessions) {
  const TestPostgres server;
  server.Sql("ALTER ROLE postgres SET default_transaction_read_only = on");
  const PostgresState state = ReadPostgresState(server.Url(), Short());
  EXPECT_TRUE(state.read_only);
  EXPECT_EQ(state.read_only_source, "user");
  ASSERT_FALSE(state.overrides.empty());
  EXPECT_EQ(state.overrides[0].setting, "default_transaction_read_only");
}

}  // namespace
}  // namespace omnix
