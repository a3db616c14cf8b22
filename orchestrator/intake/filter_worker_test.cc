#include "orchestrator/intake/filter_worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "absl/time/clock.h"
#include "common/status.h"

namespace omnix {
namespace {

using ::testing::HasSubstr;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
constexpr absl::Duration kLong = absl::Seconds(30);

// VmRSS of a process, in KiB.
long ResidentKib(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string word; status >> word;) {
    long kib = 0;
    if (word == "VmRSS:" && status >> kib) return kib;
  }
  return 0;
}

class FilterWorkerTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::string> Run(const std::string& program, const std::string& input = "null",
                                  absl::Duration timeout = kLong) {
    return worker_.Run({++id_, program}, input, timeout);
  }
  FilterWorker worker_{DefaultFilterExecutable()};
  uint32_t id_ = 0;
};

TEST_F(FilterWorkerTest, GivesTheFirstOutput) {
  EXPECT_EQ(*Run(".a + 1, 9", R"({"a": 1})"), "2");
  EXPECT_EQ(*Run("\"text\""), "\"text\"");
}

TEST_F(FilterWorkerTest, RunsAgainAfterAFailure) {
  const FilterProgram program{7, "if . == 0 then error(\"zero\") else . end"};
  EXPECT_EQ(*worker_.Run(program, "1", kLong), "1");
  const pid_t pid = worker_.pid();
  EXPECT_THAT(Message(worker_.Run(program, "0", kLong).status()), HasSubstr("zero"));
  EXPECT_EQ(*worker_.Run(program, "2", kLong), "2");
  EXPECT_EQ(worker_.pid(), pid);
}

TEST_F(FilterWorkerTest, SaysWhyAProgramDoesNotCompile) {
  EXPECT_THAT(Message(Run("1 +\n\n }").status()), HasSubstr("line 3"));
  EXPECT_EQ(*Run("1"), "1");
  EXPECT_THAT(Message(Run("empty").status()), HasSubstr("gave nothing"));
}

TEST_F(FilterWorkerTest, EndsAFilterThatDoesNotEnd) {
  ASSERT_TRUE(Run("1").ok());
  const pid_t pid = worker_.pid();
  const absl::Time begin = absl::Now();
  EXPECT_EQ(Run("def f: f; f", "1", absl::Milliseconds(200)).status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_LT(absl::Now() - begin, absl::Seconds(10));
  EXPECT_EQ(kill(pid, 0), -1) << "the process is gone";
  EXPECT_EQ(*Run("2"), "2") << "and another takes its place";
}

TEST_F(FilterWorkerTest, OutOfMemoryEndsTheProcessAlone) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer needs the address space that is limited otherwise";
  const auto result = Run("reduce range(100) as $i (\"x\"; . + .) | length");
  EXPECT_FALSE(result.ok()) << *result;
  EXPECT_EQ(*Run("2"), "2");
}

TEST_F(FilterWorkerTest, DeepRecursionEndsTheProcessAtMost) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer needs the address space that is limited otherwise";
  const auto result = Run("def f: 1 + f; f");
  EXPECT_FALSE(result.ok());
  EXPECT_EQ(*Run("2"), "2");
}

TEST_F(FilterWorkerTest, SeesNothingButItsInput) {
  ASSERT_EQ(setenv("OMNIX_FILTER_TEST_SECRET", "s3cret", 1), 0);
  EXPECT_EQ(*Run("[env, $ENV]"), "[{},{}]");
  EXPECT_THAT(Message(Run("input").status()), HasSubstr("gave nothing"));
  EXPECT_EQ(*Run("[debug, stderr, input_filename]", "1"), "[1,1,null]");
  EXPECT_FALSE(Run("import \"a\" as a; 1").ok());
}

TEST_F(FilterWorkerTest, KeepsNoMemoryFromBodyToBody) {
  const FilterProgram program{1, "[.. | strings] | length"};
  const std::string input = "[\"" + std::string(1 << 20, 'x') + "\"]";
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(worker_.Run(program, input, kLong).ok());
  const long before = ResidentKib(worker_.pid());
  ASSERT_GT(before, 0);
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(worker_.Run(program, input, kLong).ok());
  EXPECT_LT(ResidentKib(worker_.pid()), before + (16 << 10));
}

TEST_F(FilterWorkerTest, AProcessThatDiedIsReplaced) {
  ASSERT_TRUE(Run("1").ok());
  ASSERT_EQ(kill(worker_.pid(), SIGKILL), 0);
  EXPECT_EQ(Run("1").status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(*Run("1"), "1");
}

TEST(FilterWorker, SaysThatItsProgramIsMissing) {
  FilterWorker worker("/nonexistent/omnix-alert-filter");
  const auto result = worker.Run({1, "1"}, "1", kLong);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Message(result.status()), HasSubstr("/nonexistent/omnix-alert-filter: No such file"));
}

}  // namespace
}  // namespace omnix
