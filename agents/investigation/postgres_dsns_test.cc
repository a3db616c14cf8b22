// Ways into PostgreSQL that configuration files name.
#include "agents/investigation/postgres_dsns.h"

#include "agents/investigation/faulty_system.h"

namespace omnix {
namespace {

class PostgresDsnsTest : public FaultySystem {
 protected:
  // Those of a service with these files, which are named a.properties, b.env...
  std::vector<PostgresWay> Ways(const std::vector<std::pair<std::string, std::string>>& files) {
    v1::Service* shop = AddService("shop", FreePort(), {});
    for (const auto& [name, text] : files) {
      Write(name, text);
      shop->add_config_files()->set_path(Path(name));
    }
    std::vector<PostgresWay> ways;
    for (const PostgresServer& server : FindPostgresServers(case_)) {
      for (const PostgresWay& way : server.ways) ways.push_back(way);
    }
    return ways;
  }
};

TEST_F(PostgresDsnsTest, TheLoginOfAJdbcUrlStandsBesideItAndItsPasswordElsewhere) {
  const auto ways = Ways({{"app.properties",
                           "datasource.url=jdbc:postgresql://127.0.0.1:5999/shop\ndatasource.username=app\n"
                           "datasource.password=${DB_PASSWORD}\n"},
                          {"machine.env", "# secrets\nexport DB_PASSWORD='right'\n"}});
  ASSERT_EQ(ways.size(), 1u);
  EXPECT_EQ(ways[0].dsn.user, "app");
  EXPECT_EQ(ways[0].dsn.password, "right");
  EXPECT_EQ(ways[0].location.file(), Path("machine.env")) << "where the password would be corrected";
  EXPECT_EQ(ways[0].location.line(), 2u);
}

TEST_F(PostgresDsnsTest, AUrlWhoseLoginIsNotKnownIsNoWayIn) {
  EXPECT_TRUE(Ways({{"app.properties", "datasource.url=jdbc:postgresql://127.0.0.1:5999/shop\n"}}).empty());
  EXPECT_TRUE(Ways({{"other.properties",
                     "datasource.url=jdbc:postgresql://127.0.0.1:5999/shop\ndatasource.username=app\n"
                     "datasource.password=${NOBODY_SETS_THIS}\n"}})
                  .empty());
}

TEST_F(PostgresDsnsTest, APasswordHeldInAFileOfItsOwn) {
  Write("password", "right\n");
  const std::string url = "DATABASE_URL=postgresql+asyncpg://app@127.0.0.1:5999/shop\n";
  const auto ways = Ways({{"held.env", url + "DATABASE_PASSWORD_FILE=" + Path("password") + "\n"}});
  ASSERT_EQ(ways.size(), 1u);
  EXPECT_EQ(ways[0].dsn.user, "app");
  EXPECT_EQ(ways[0].dsn.password, "right");
  EXPECT_EQ(ways[0].location.file(), Path("password"));
  EXPECT_EQ(Ways({{"alone.env", url}}).back().dsn.password, "") << "who is trusted needs none";
}

TEST_F(PostgresDsnsTest, APasswordThatMayNotBeReadIsNotKnown) {
  EXPECT_TRUE(Ways({{"held.env", "DATABASE_URL=postgresql://app@127.0.0.1:5999/shop\nDATABASE_PASSWORD_FILE=" +
                                     Path("none") + "\n"}})
                  .empty());
}

}  // namespace
}  // namespace omnix
