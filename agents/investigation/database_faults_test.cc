// Diagnoses of a real PostgreSQL whose clients wait, and of innocent states that look like it.
#include <gmock/gmock.h>

#include "agents/investigation/faulty_system.h"
#include "agents/stores/test_postgres.h"

namespace omnix {
namespace {

using testing::HasSubstr;
using testing::Not;

class DatabaseFaultsTest : public FaultySystem {
 protected:
  static constexpr absl::Duration kPatience = absl::Seconds(20);

  // A service "shop" that needs "db"; `body` as of Serve.
  v1::Service* AddShop(const std::string& body, const std::string& config = "") {
    const int port = FreePort();
    Serve(port, body);
    v1::Service* shop = AddService("shop", port, {"/items", "/health"});
    shop->add_depends_on("db");
    if (!config.empty()) {
      Write("shop.env", config);
      shop->add_config_files()->set_path(Path("shop.env"));
    }
    return shop;
  }
  void AddDatabase(const std::string& dsn) {
    v1::Service* database = case_.system.add_services();
    database->set_name("db");
    database->set_kind("database");
    database->mutable_database()->set_kind("postgresql");
    database->mutable_database()->set_dsn(dsn);
  }
  // A statement that runs until the server ends it.
  std::jthread Run(const std::string& url, const std::string& sql) {
    return std::jthread([url, sql] {
      PostgresSession session(url, Countdown(kPatience));
      session.Query(sql, Countdown(3 * kPatience)).IgnoreError();
    });
  }
  // Returns once as many sessions are in this state of waiting.
  static void AwaitSessions(const TestPostgres& server, const std::string& where, int count) {
    const absl::Time deadline = absl::Now() + kPatience;
    while (absl::Now() < deadline) {
      PostgresSession session(server.Url(), Countdown(kPatience));
      const auto rows = session.Query(
          "SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND " + where, Countdown(kPatience));
      if (rows.ok() && std::atoi(rows->front()[0].c_str()) >= count) return;
    }
    ADD_FAILURE() << "no session where " << where;
  }
};

TEST_F(DatabaseFaultsTest, AForgottenTransactionHoldsALock) {
  const TestPostgres server;
  server.Sql("CREATE TABLE orders (note text); CREATE ROLE shop LOGIN PASSWORD 'right'; GRANT ALL ON orders TO shop");
  PostgresSession holder(server.Url(), Countdown(kPatience));
  ASSERT_TRUE(holder.Query("BEGIN; LOCK TABLE orders", Countdown(kPatience)).ok());
  const auto one = Run(server.Url("shop", "right"), "SELECT count(*) FROM orders WHERE note = 'sesame-one'");
  const auto two = Run(server.Url("shop", "right"), "SELECT count(*) FROM orders WHERE note = 'sesame-two'");
  AwaitSessions(server, "wait_event_type = 'Lock' AND query_start < now() - interval '1 second'", 2);
  AddShop("        self.answer(504 if self.path == '/items' else 200)");
  AddDatabase(server.Url());
  std::string seen;
  case_.report = [&](const v1::Evidence& evidence) { seen += evidence.DebugString(); };
  const v1::Diagnosis diagnosis = FaultySystem::Run();
  server.Sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'");
  const v1::Hypothesis first = First(diagnosis);
  EXPECT_EQ(first.kind(), "database.locks") << All(diagnosis);
  EXPECT_EQ(first.component(), "db");
  EXPECT_GE(first.confidence(), 0.85);
  EXPECT_THAT(first.title(), HasSubstr("2 sessions wait"));
  EXPECT_THAT(first.explanation(), HasSubstr("idle in a transaction"));
  EXPECT_THAT(first.explanation(), HasSubstr("AccessShareLock on orders"));
  for (const char* secret : {"sesame", TestPostgres::kPassword}) {
    EXPECT_THAT(seen, Not(HasSubstr(secret)));
    EXPECT_THAT(diagnosis.DebugString(), Not(HasSubstr(secret)));
  }
}

TEST_F(DatabaseFaultsTest, AStatementRunsLongerThanCallsMayTake) {
  const TestPostgres server;
  server.Sql("CREATE ROLE shop LOGIN PASSWORD 'right'");
  const auto slow = Run(server.Url("shop", "right"), "SELECT count(*) FROM generate_series(1, 100000000000)");
  AwaitSessions(server, "state = 'active' AND query_start < now() - interval '1.5 seconds'", 1);
  AddShop("        self.answer(504 if self.path == '/items' else 200)",
          fmt::format("DATABASE_URL={}\n", server.Url("shop", "right")));
  AddDatabase(server.Url());
  const v1::Diagnosis diagnosis = FaultySystem::Run();
  server.Sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'shop'");
  EXPECT_EQ(First(diagnosis).kind(), "database.slow_query") << All(diagnosis);
  EXPECT_GE(First(diagnosis).confidence(), 0.6);
  EXPECT_THAT(First(diagnosis).explanation(), HasSubstr("generate_series"));
}

TEST_F(DatabaseFaultsTest, IdleTransactionsAndReportsAreNoCauseWhereNobodyWaits) {
  const TestPostgres server;
  server.Sql("CREATE TABLE orders (id int)");
  PostgresSession holder(server.Url(), Countdown(kPatience));
  ASSERT_TRUE(holder.Query("BEGIN; LOCK TABLE orders", Countdown(kPatience)).ok());
  const auto report = Run(server.Url(), "SELECT count(*) FROM generate_series(1, 100000000000)");
  AwaitSessions(server, "state = 'active' AND query_start < now() - interval '1.5 seconds'", 1);
  AddShop("        self.answer(500 if self.path == '/items' else 200)");
  AddDatabase(server.Url());
  const v1::Diagnosis diagnosis = FaultySystem::Run();
  server.Sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()");
  EXPECT_THAT(All(diagnosis), Not(HasSubstr("database.locks")));
  for (const v1::Hypothesis& h : diagnosis.hypotheses()) {
    EXPECT_TRUE(h.kind() != "database.slow_query" || h.confidence() < 0.5) << h.title();
  }
}

TEST_F(DatabaseFaultsTest, LeakedSessionsHoldAllConnections) {
  const TestPostgres server("max_connections = 8\nsuperuser_reserved_connections = 2");
  server.Sql("CREATE ROLE shop LOGIN PASSWORD 'right'");
  AddShop("        self.answer(500 if self.path == '/items' else 200)");
  AddDatabase(server.Url("shop", "right"));
  std::vector<std::unique_ptr<PostgresSession>> held;
  for (int i = 0; i < 6; ++i) {
    held.push_back(std::make_unique<PostgresSession>(server.Url("shop", "right"), Countdown(kPatience)));
    ASSERT_TRUE(held.back()->Query("BEGIN; SELECT 1", Countdown(kPatience)).ok());
  }
  const v1::Diagnosis diagnosis = FaultySystem::Run();
  EXPECT_EQ(First(diagnosis).kind(), "database.connections_exhausted") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).component(), "db");
  EXPECT_GE(First(diagnosis).confidence(), 0.85);
  EXPECT_THAT(First(diagnosis).explanation(), HasSubstr("6 of 6 are idle in a transaction"));
}

TEST_F(DatabaseFaultsTest, WritesAreRefused) {
  const TestPostgres server;
  server.Sql("ALTER SYSTEM SET default_transaction_read_only = on");
  server.Sql("SELECT pg_reload_conf()");
  v1::Service* shop = AddShop("        self.answer(500 if self.path == '/items' else 200)");
  shop->add_logs()->set_path(Path("shop.log"));
  Write("shop.log", Now() + " ERROR cannot execute INSERT in a read-only transaction\n");
  case_.now = absl::Now();
  AddDatabase(server.Url());
  const v1::Diagnosis diagnosis = FaultySystem::Run();
  EXPECT_EQ(First(diagnosis).kind(), "database.read_only") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).component(), "db");
  EXPECT_GE(First(diagnosis).confidence(), 0.85);
  EXPECT_THAT(First(diagnosis).location().file(), HasSubstr("postgresql.auto.conf"));
}

TEST_F(DatabaseFaultsTest, TheServiceHasAnotherPassword) {
  const TestPostgres server;
  server.Sql("CREATE ROLE shop LOGIN PASSWORD 'right'");
  AddShop("        self.answer(500 if self.path == '/items' else 200)",
          fmt::format("DB_HOST=127.0.0.1\nDB_PORT={}\nDB_USER=shop\nDB_PASSWORD=battery-staple\nDB_NAME=postgres\n",
                      server.port()));
  AddDatabase(server.Url());
  std::string seen;
  case_.report = [&](const v1::Evidence& evidence) { seen += evidence.DebugString(); };
  const v1::Diagnosis diagnosis = FaultySystem::Run();
  const v1::Hypothesis first = First(diagnosis);
  EXPECT_EQ(first.kind(), "database.credentials") << All(diagnosis);
  EXPECT_EQ(first.component(), "shop");
  EXPECT_EQ(first.location().file(), Path("shop.env"));
  EXPECT_EQ(first.location().line(), 4u);
  EXPECT_GE(first.confidence(), 0.85);
  EXPECT_THAT(seen + diagnosis.DebugString(), Not(HasSubstr("battery-staple")));
}

// Libpq's variables, of which one stands for what another file says, or for what none says that can be read.
TEST_F(DatabaseFaultsTest, APasswordThatStandsForAnotherKeyIsNotAMissingOne) {
  const TestPostgres server;
  server.Sql("CREATE ROLE shop LOGIN PASSWORD 'right'");
  AddShop("        self.answer(500 if self.path == '/items' else 200)",
          fmt::format("PGHOST=127.0.0.1\nPGPORT={}\nPGUSER=shop\nPGDATABASE=postgres\nPGPASSWORD=${{SHOP_PASSWORD}}\n",
                      server.port()));
  AddDatabase(server.Url());
  EXPECT_THAT(All(FaultySystem::Run()), Not(HasSubstr("database.")));
  Write("secrets.env", "SHOP_PASSWORD=battery-staple\n");
  for (auto& service : *case_.system.mutable_services()) {
    if (service.name() == "shop") service.add_config_files()->set_path(Path("secrets.env"));
  }
  const v1::Diagnosis diagnosis = FaultySystem::Run();
  EXPECT_EQ(First(diagnosis).kind(), "database.credentials") << All(diagnosis);
}

TEST_F(DatabaseFaultsTest, AnOldPasswordBesideAGoodOneAndAMeantStandbyRoleAreNoCause) {
  const TestPostgres server;
  server.Sql(
      "CREATE ROLE shop LOGIN PASSWORD 'right'; CREATE ROLE report LOGIN PASSWORD 'x'; "
      "ALTER ROLE report SET default_transaction_read_only = on");
  AddShop(
      "        self.answer(500 if self.path == '/items' else 200)",
      fmt::format("DATABASE_URL={}\nOLD_DATABASE_URL={}\n", server.Url("shop", "right"), server.Url("shop", "wrong")));
  AddDatabase(server.Url());
  EXPECT_THAT(All(FaultySystem::Run()), Not(HasSubstr("database.")));
}

}  // namespace
}  // namespace omnix
