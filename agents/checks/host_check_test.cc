#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/ssl.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "agents/checks/check.h"
#include "agents/checks/test_server.h"
#include "common/process.h"
#include "common/status.h"

namespace omnix {
namespace {

using ::testing::HasSubstr;
namespace asio = boost::asio;

class HostCheckTest : public ::testing::Test {
 protected:
  HostCheckTest() {
    std::filesystem::create_directories(folder_);
    service_.set_name("db");
  }
  ~HostCheckTest() override { std::filesystem::remove_all(folder_); }

  v1::CheckResult Run(const std::string& kind, const Json& with = Json::object()) {
    v1::SystemModel system;
    *system.add_services() = service_;
    v1::Check check;
    check.set_name(kind);
    check.set_kind(kind);
    check.set_service("db");
    *check.mutable_with() = JsonToStruct(with);
    CheckContext context{.system = system, .variables = {}};
    return RunCheck(check, context).front();
  }
  void Write(const std::string& name, const std::string& text) { std::ofstream(folder_ + "/" + name) << text; }

  const std::string folder_ = std::filesystem::temp_directory_path() / ("omnix-host-" + std::to_string(getpid()));
  v1::Service service_;
};

TEST_F(HostCheckTest, TcpAndListen) {
  std::string address;
  {
    const TestServer server([](const auto&, auto&) {});
    address = server.Address();
    EXPECT_EQ(Run("tcp", {{"address", address}}).status(), v1::CHECK_STATUS_PASSED);
    service_.add_listen("0.0.0.0" + address.substr(address.find(':')));
    EXPECT_EQ(Run("listen").status(), v1::CHECK_STATUS_PASSED);
  }
  EXPECT_EQ(Run("tcp", {{"address", address}}).status(), v1::CHECK_STATUS_FAILED);
  EXPECT_THAT(Run("listen").summary(), HasSubstr("connection refused"));
  EXPECT_THAT(Run("tcp", {{"address", "nowhere.invalid:80"}}).summary(), HasSubstr("name not found"));
}

TEST_F(HostCheckTest, ProcessByPidFileAndByMatch) {
  const pid_t child = fork();
  if (child == 0) {
    execlp("sleep", "sleep", "61.25", nullptr);
    _exit(1);
  }
  service_.mutable_process()->set_pid_file(folder_ + "/db.pid");
  EXPECT_THAT(Run("process").summary(), HasSubstr("no pid file"));
  Write("db.pid", "what\n");
  EXPECT_THAT(Run("process").summary(), HasSubstr("holds no process id"));
  Write("db.pid", std::to_string(child) + "\n");
  EXPECT_EQ(Run("process").status(), v1::CHECK_STATUS_PASSED);
  service_.mutable_process()->set_match("postgres-of-another-world");
  EXPECT_THAT(Run("process").summary(), HasSubstr(", not postgres-of-another-world"));
  service_.mutable_process()->clear_pid_file();
  EXPECT_EQ(Run("process").status(), v1::CHECK_STATUS_FAILED);
  service_.mutable_process()->clear_match();
  kill(child, SIGKILL);
  siginfo_t info;
  // The child is dead and not yet waited for: a zombie does not count as running.
  waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  service_.mutable_process()->set_pid_file(folder_ + "/db.pid");
  EXPECT_THAT(Run("process").summary(), HasSubstr("does not run"));
  waitpid(child, nullptr, 0);
}

TEST_F(HostCheckTest, DiskAndMemory) {
  EXPECT_EQ(Run("disk").status(), v1::CHECK_STATUS_SKIPPED);
  EXPECT_EQ(Run("disk", {{"path", folder_}, {"min_free_percent", 100}}).status(), v1::CHECK_STATUS_FAILED);
  EXPECT_EQ(Run("disk", {{"path", folder_}, {"min_free_percent", 0}}).status(), v1::CHECK_STATUS_PASSED);
  EXPECT_EQ(Run("disk", {{"path", folder_ + "/none"}}).status(), v1::CHECK_STATUS_ERROR);
  EXPECT_EQ(Run("memory", {{"min_available_percent", 0}}).status(), v1::CHECK_STATUS_PASSED);
  EXPECT_EQ(Run("memory", {{"min_available_percent", 100}}).status(), v1::CHECK_STATUS_FAILED);
}

TEST_F(HostCheckTest, SqliteWholeMissingAndBroken) {
  const std::string path = folder_ + "/shop.db";
  service_.mutable_database()->set_kind("sqlite");
  service_.mutable_database()->set_dsn(path);
  EXPECT_EQ(Run("database").status(), v1::CHECK_STATUS_FAILED);
  EXPECT_FALSE(std::filesystem::exists(path));
  sqlite3* database = nullptr;
  ASSERT_EQ(SQLITE_OK, sqlite3_open(path.c_str(), &database));
  ASSERT_EQ(SQLITE_OK,
            sqlite3_exec(database, "CREATE TABLE t (a); INSERT INTO t VALUES (1)", nullptr, nullptr, nullptr));
  sqlite3_close(database);
  EXPECT_EQ(Run("database").status(), v1::CHECK_STATUS_PASSED) << Run("database").summary();
  Write("shop.db", std::string(8192, 'x'));
  EXPECT_EQ(Run("database").status(), v1::CHECK_STATUS_FAILED);
}

TEST_F(HostCheckTest, PostgresThatIsNotThereFailsWithoutItsPassword) {
  service_.mutable_database()->set_kind("postgresql");
  service_.mutable_database()->set_dsn("host=127.0.0.1 port=1 user=ann password=sesame-sesame dbname=shop");
  const v1::CheckResult result = Run("database");
  EXPECT_EQ(result.status(), v1::CHECK_STATUS_FAILED) << result.summary();
  EXPECT_THAT(result.ShortDebugString(), testing::Not(HasSubstr("sesame")));
}

TEST_F(HostCheckTest, ConfigTestRunsTheServicesOwnCommand) {
  EXPECT_EQ(Run("config_test").status(), v1::CHECK_STATUS_SKIPPED);
  v1::Command& command = (*service_.mutable_commands())["test_config"];
  command.add_argv("true");
  EXPECT_EQ(Run("config_test").status(), v1::CHECK_STATUS_PASSED);
  command.set_argv(0, "sh");
  command.add_argv("-c");
  command.add_argv("echo line 7: unknown directive >&2; exit 3");
  const v1::CheckResult result = Run("config_test");
  EXPECT_EQ(result.status(), v1::CHECK_STATUS_FAILED);
  EXPECT_THAT(result.summary(), HasSubstr("exit code 3"));
  EXPECT_THAT(result.excerpt(), HasSubstr("line 7"));
}

TEST_F(HostCheckTest, TlsOfASelfSignedCertificate) {
  const std::string key = folder_ + "/key.pem";
  const std::string certificate = folder_ + "/cert.pem";
  const auto made =
      RunProcess({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
                  "-days", "10", "-subj", "/CN=shop.test", "-addext", "subjectAltName=DNS:shop.test"});
  ASSERT_TRUE(made.ok() && made->exit_code == 0) << (made.ok() ? made->err : Message(made.status()));
  asio::io_context io;
  asio::ip::tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
  asio::ssl::context tls(asio::ssl::context::tls_server);
  tls.use_certificate_chain_file(certificate);
  tls.use_private_key_file(key, asio::ssl::context::pem);
  std::jthread server([&] {
    for (;;) {
      boost::system::error_code error;
      asio::ip::tcp::socket socket = acceptor.accept(error);
      if (error) return;
      asio::ssl::stream<asio::ip::tcp::socket> stream(std::move(socket), tls);
      stream.handshake(asio::ssl::stream_base::server, error);
    }
  });
  const std::string address = "127.0.0.1:" + std::to_string(acceptor.local_endpoint().port());
  EXPECT_THAT(Run("tls", {{"address", address}}).summary(), HasSubstr("self-signed"));
  const Json trusted = {{"address", address}, {"ca_file", certificate}, {"server_name", "shop.test"}};
  const v1::CheckResult near = Run("tls", trusted);
  EXPECT_EQ(near.status(), v1::CHECK_STATUS_WARNING) << near.summary();
  Json relaxed = trusted;
  relaxed["min_days"] = 5;
  EXPECT_EQ(Run("tls", relaxed).status(), v1::CHECK_STATUS_PASSED);
  relaxed["server_name"] = "other.test";
  EXPECT_THAT(Run("tls", relaxed).summary(), HasSubstr("mismatch"));
  shutdown(acceptor.native_handle(), SHUT_RDWR);
}

}  // namespace
}  // namespace omnix
