// A real PostgreSQL server of its own on a free port of 127.0.0.1, for tests. Superuser "postgres" (by the socket, or
// by TCP with kPassword), other roles by TCP with a password.
#pragma once

#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "agents/stores/postgres_session.h"
#include "common/hash.h"
#include "common/process.h"
#include "fmt/format.h"
#include "tests/support/free_port.h"

namespace omnix {

class TestPostgres {
 public:
  static constexpr char kPassword[] = "correct-horse";

  explicit TestPostgres(const std::string& settings = "")
      : folder_("/tmp/omnix-pg-" + RandomHex(6)), port_(FreePort()) {
    std::filesystem::create_directories(folder_);
    const passwd* owner = getpwnam("postgres");
    if (geteuid() == 0 && owner != nullptr) {
      EXPECT_EQ(chown(folder_.c_str(), owner->pw_uid, owner->pw_gid), 0);
    }
    std::ofstream(folder_ + "/password") << kPassword;
    Run({Program("initdb"), "-D", Data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
         "--no-sync", "--pwfile=" + folder_ + "/password"});
    std::ofstream(Data() + "/postgresql.conf", std::ios::app)
        << fmt::format("port = {}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{}'\nfsync = off\n{}\n",
                       port_, folder_, settings);
    std::ofstream(Data() + "/pg_hba.conf") << "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
    Run({Program("pg_ctl"), "-D", Data(), "-w", "-l", folder_ + "/log", "start"});
  }
  ~TestPostgres() {
    Run({Program("pg_ctl"), "-D", Data(), "-m", "immediate", "-w", "stop"});
    std::filesystem::remove_all(folder_);
  }
  TestPostgres(const TestPostgres&) = delete;
  TestPostgres& operator=(const TestPostgres&) = delete;

  int port() const { return port_; }
  std::string Url(const std::string& user = "postgres", const std::string& password = kPassword,
                  const std::string& database = "postgres") const {
    return fmt::format("postgresql://{}:{}@127.0.0.1:{}/{}", user, password, port_, database);
  }
  // Statements, as superuser, by the socket.
  void Sql(const std::string& text) const {
    PostgresSession session(fmt::format("host={} port={} user=postgres dbname=postgres", folder_, port_),
                            Countdown(absl::Seconds(20)));
    const auto rows = session.Query(text, Countdown(absl::Seconds(20)));
    EXPECT_TRUE(rows.ok()) << rows.status();
  }

 private:
  // Of the newest version that is installed.
  static std::string Program(const std::string& name) {
    std::string best;
    int newest = 0;
    for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql")) {
      const int number = std::atoi(version.path().filename().c_str());
      if (number > newest) best = version.path().string();
      newest = std::max(newest, number);
    }
    return best + "/bin/" + name;
  }
  std::string Data() const { return folder_ + "/data"; }
  void Run(std::vector<std::string> argv) const {
    // The server refuses to run as root.
    if (geteuid() == 0) argv.insert(argv.begin(), {"runuser", "-u", "postgres", "--"});
    ProcessOptions options;
    options.cwd = "/";
    options.timeout = absl::Seconds(60);
    const auto result = RunProcess(argv, options);
    EXPECT_TRUE(result.ok() && result->exit_code == 0)
        << argv.back() << (result.ok() ? result->out + result->err : result.status().ToString());
  }

  const std::string folder_;
  const int port_;
};

}  // namespace omnix
