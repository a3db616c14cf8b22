// Against a real redis-server on a free port.
#include "agents/checks/redis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "agents/checks/test_server.h"

namespace omnix {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr absl::Duration kTimeout = absl::Seconds(5);
constexpr absl::Duration kStart = absl::Seconds(20);

class Redis {
 public:
  Redis(const std::string& option, const std::string& value) {
    {
      const TestServer server([](const auto&, auto&) {});
      port_ = server.Address().substr(server.Address().rfind(':') + 1);
    }
    pid_ = fork();
    if (pid_ == 0) {
      execlp("redis-server", "redis-server", "--port", port_.c_str(), "--bind", "127.0.0.1", "--save", "", "--loglevel",
             "warning", "--daemonize", "no", option.c_str(), value.c_str(), nullptr);
      _exit(127);
    }
    const absl::Time end = absl::Now() + kStart;
    while (absl::Now() < end && absl::StrContains(std::string(Ask("").message()), "connection refused"))
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  ~Redis() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  absl::Status Ask(const std::string& who) const {
    return PingRedis("redis://" + who + "127.0.0.1:" + port_ + "/0", kTimeout);
  }

 private:
  std::string port_;
  pid_t pid_ = -1;
};

TEST(RedisTest, AnswersWithAndWithoutPassword) {
  const Redis open("--maxmemory", "0");
  EXPECT_TRUE(open.Ask("").ok()) << open.Ask("");
  const Redis closed("--requirepass", "a:b@c");
  EXPECT_TRUE(closed.Ask(":a%3Ab%40c@").ok()) << closed.Ask(":a%3Ab%40c@");
  EXPECT_THAT(std::string(closed.Ask("").message()), HasSubstr("NOAUTH"));
  const std::string wrong(closed.Ask(":sesame-sesame@").message());
  EXPECT_THAT(wrong, HasSubstr("WRONGPASS"));
  EXPECT_THAT(wrong, Not(HasSubstr("sesame")));
}

TEST(RedisTest, MemoryUsedUpIsTold) {
  const Redis full("--maxmemory", "1024");
  EXPECT_EQ(full.Ask("").code(), absl::StatusCode::kResourceExhausted) << full.Ask("");
}

TEST(RedisTest, NobodyThereAndNoDsn) {
  EXPECT_THAT(std::string(PingRedis("redis://127.0.0.1:1", kTimeout).message()), HasSubstr("connection refused"));
  EXPECT_EQ(PingRedis("http://127.0.0.1:1", kTimeout).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace omnix
