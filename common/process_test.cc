#include "common/process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

namespace omnix {
namespace {

using ::testing::HasSubstr;
using Clock = std::chrono::steady_clock;

ProcessResult Shell(const std::string& script, ProcessOptions options = {}) {
  auto result = RunProcess({"/bin/sh", "-c", script}, options);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *result : ProcessResult{};
}

double SecondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

bool EndsWithin(pid_t pid, std::chrono::seconds limit) {
  const auto deadline = Clock::now() + limit;
  while (Clock::now() < deadline) {
    if (kill(pid, 0) != 0) return true;
    // A zombie waits for init, which may be slow in a container: it runs no more.
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string line;
    std::getline(stat, line);
    if (line.find(") Z ") != std::string::npos) return true;
    std::this_thread::yield();
  }
  return false;
}

TEST(ProcessTest, GivesOutputErrorOutputAndExitCode) {
  const ProcessResult result = Shell("echo out; echo err >&2; exit 7");
  EXPECT_EQ(result.out, "out\n");
  EXPECT_EQ(result.err, "err\n");
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_FALSE(result.timed_out);
  EXPECT_FALSE(result.truncated);
}

TEST(ProcessTest, ASignalIsTheExitCodeOfAShell) { EXPECT_EQ(Shell("kill -TERM $$").exit_code, 128 + SIGTERM); }

TEST(ProcessTest, LooksProgramsUpInTheCleanPath) {
  auto result = RunProcess({"true"});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_code, 0);
}

TEST(ProcessTest, ArgumentsAreNeverReadByAShell) {
  auto result = RunProcess({"printf", "%s|", "a b", "$(id)", "; rm -rf /nowhere", "*", ""});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->out, "a b|$(id)|; rm -rf /nowhere|*||");
}

TEST(ProcessTest, SaysWhatIsWrong) {
  EXPECT_EQ(RunProcess({}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(RunProcess({""}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(RunProcess({"true", std::string("a\0b", 3)}).status().code(), absl::StatusCode::kInvalidArgument);
  const auto missing = RunProcess({"no-such-program-anywhere"});
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(missing.status().message()), HasSubstr("no-such-program-anywhere"));
  EXPECT_EQ(RunProcess({"/no/such/program"}).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(RunProcess({"/etc/passwd"}).status().code(), absl::StatusCode::kPermissionDenied);
  ProcessOptions options;
  options.cwd = "/no/such/folder";
  const auto no_folder = RunProcess({"true"}, options);
  EXPECT_EQ(no_folder.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(no_folder.status().message()), HasSubstr("/no/such/folder"));
  options = {};
  options.environment["A=B"] = "c";
  EXPECT_EQ(RunProcess({"true"}, options).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(ProcessTest, TheEnvironmentIsClean) {
  setenv("LD_PRELOAD_OF_OMNIX_TEST", "evil", 1);
  setenv("GIT_DIR", "/tmp/elsewhere", 1);
  setenv("PAGER", "sh -c evil", 1);
  ProcessOptions options;
  options.environment["OMNIX_ADDED"] = "yes";
  auto result = RunProcess({"env"}, options);
  ASSERT_TRUE(result.ok());
  unsetenv("GIT_DIR");
  unsetenv("PAGER");
  EXPECT_THAT(result->out, HasSubstr("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"));
  EXPECT_THAT(result->out, HasSubstr("LANG=C.UTF-8\n"));
  EXPECT_THAT(result->out, HasSubstr("OMNIX_ADDED=yes\n"));
  for (const char* line : {"LD_PRELOAD_OF_OMNIX_TEST", "GIT_DIR", "PAGER"}) {
    EXPECT_THAT(result->out, testing::Not(HasSubstr(line)));
  }
}

TEST(ProcessTest, RunsInTheGivenFolder) {
  ProcessOptions options;
  options.cwd = "/usr";
  EXPECT_EQ(Shell("pwd", options).out, "/usr\n");
}

TEST(ProcessTest, PassesInputOfAnySize) {
  ProcessOptions options;
  options.max_output_bytes = 8 << 20;
  options.input.assign(4 << 20, 'x');
  options.input += "end";
  auto result = RunProcess({"cat"}, options);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->out, options.input);
  // A program that doesn't read its input is none the worse.
  EXPECT_EQ(Shell("exit 0", options).exit_code, 0);
  EXPECT_EQ(Shell("cat").out, "");
}

TEST(ProcessTest, CapsOutputAndGoesOnReading) {
  ProcessOptions options;
  options.max_output_bytes = 1000;
  const ProcessResult result = Shell("head -c 10000000 /dev/zero | tr '\\0' a; echo done >&2; exit 3", options);
  EXPECT_EQ(result.out, std::string(1000, 'a'));
  EXPECT_EQ(result.err, "done\n");
  EXPECT_TRUE(result.truncated);
  EXPECT_EQ(result.exit_code, 3);
}

TEST(ProcessTest, KillsTheWholeGroupAtTheTimeout) {
  ProcessOptions options;
  options.timeout = absl::Seconds(2);
  const auto start = Clock::now();
  const ProcessResult result = Shell("sleep 1000 & echo $!; trap '' TERM; sleep 1000", options);
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.exit_code, 128 + SIGKILL);
  EXPECT_LT(SecondsSince(start), 60);
  EXPECT_TRUE(EndsWithin(std::stoi(result.out), std::chrono::seconds(5)));
}

TEST(ProcessTest, AnEndlessWriterEndsAtTheTimeout) {
  ProcessOptions options;
  options.timeout = absl::Seconds(1);
  options.max_output_bytes = 100;
  const auto result = RunProcess({"yes"}, options);
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result->timed_out);
  EXPECT_EQ(result->out.size(), 100u);
}

TEST(ProcessTest, ADaemonThatKeepsThePipesOpenDoesNotHoldTheCall) {
  const auto start = Clock::now();
  ProcessOptions options;
  options.timeout = absl::Seconds(60);
  const ProcessResult result = Shell("setsid sleep 50 & echo $!", options);
  EXPECT_FALSE(result.timed_out);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_LT(SecondsSince(start), 20);
  const pid_t daemon = std::stoi(result.out);
  EXPECT_EQ(kill(daemon, 0), 0) << "the daemon must live on";
  kill(daemon, SIGKILL);
}

TEST(ProcessTest, ADaemonThatWritesWithoutEndDoesNotHoldTheCall) {
  const auto start = Clock::now();
  const ProcessResult result = Shell("setsid yes & echo $! >&2");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_LT(SecondsSince(start), 20);
  EXPECT_TRUE(EndsWithin(std::stoi(result.err), std::chrono::seconds(10))) << "its pipe is closed";
}

TEST(ProcessTest, DescriptorsAreNotInherited) {
  const int leak = open("/etc/passwd", O_RDONLY);
  const ProcessResult result = Shell("ls /proc/self/fd | wc -l");
  close(leak);
  // 0, 1, 2 and the one that ls lists the folder by.
  EXPECT_EQ(std::stoi(result.out), 4);
}

TEST(ProcessTest, SignalsHaveTheirDefaultsInTheChild) {
  std::signal(SIGPIPE, SIG_IGN);
  const ProcessResult result = Shell("kill -PIPE $$; echo survived");
  std::signal(SIGPIPE, SIG_DFL);
  EXPECT_EQ(result.exit_code, 128 + SIGPIPE);
}

TEST(ProcessTest, ManyThreadsAtOnce) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 10; ++i) {
        const std::string text = std::to_string(t * 100 + i);
        auto result = RunProcess({"echo", text});
        ASSERT_TRUE(result.ok()) << result.status();
        EXPECT_EQ(result->out, text + "\n");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(ProcessTest, LeavesNoDescriptorAndNoZombieBehind) {
  auto count = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator{});
  };
  const auto before = count();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(RunProcess({"true"}).ok());
  EXPECT_FALSE(RunProcess({"no-such-program-anywhere"}).ok());
  EXPECT_EQ(count(), before);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
}

}  // namespace
}  // namespace omnix
