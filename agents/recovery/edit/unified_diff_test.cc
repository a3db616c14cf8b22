#include "agents/recovery/edit/unified_diff.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <random>

#include "common/file.h"
#include "common/process.h"

namespace omnix {
namespace {

class UnifiedDiffTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/omnix-diff-XXXXXX";
    folder_ = mkdtemp(name);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // What `git apply` makes of `before` by the diff.
  std::string Applied(const std::string& before, const std::string& diff) {
    EXPECT_TRUE(ReplaceFile(folder_ + "/file", before).ok());
    ProcessOptions options;
    options.cwd = folder_;
    options.input = diff;
    const auto result = RunProcess({"git", "apply", "--whitespace=nowarn", "-"}, options);
    EXPECT_TRUE(result.ok() && result->exit_code == 0) << (result.ok() ? result->err : "not run") << diff;
    return ReadFile(folder_ + "/file").value_or("unreadable");
  }

  std::string folder_;
};

TEST_F(UnifiedDiffTest, IsTheCommonFormat) {
  const std::string before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
  const std::string after = "1\n2\n3\n4\nfive\n6\n7\n8\n9\n";
  const UnifiedDiff diff = MakeUnifiedDiff("/etc/x.conf", before, after);
  EXPECT_EQ(diff.text, "--- a/etc/x.conf\n+++ b/etc/x.conf\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
  EXPECT_EQ(diff.lines_added, 1u);
  EXPECT_EQ(diff.lines_removed, 1u);
}

TEST_F(UnifiedDiffTest, EqualTextsGiveNothing) { EXPECT_EQ(MakeUnifiedDiff("/file", "a\n", "a\n").text, ""); }

TEST_F(UnifiedDiffTest, SaysWhereTheLastNewlineIsMissing) {
  EXPECT_EQ(
      MakeUnifiedDiff("/file", "a", "b").text,
      "--- a/file\n+++ b/file\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n");
}

TEST_F(UnifiedDiffTest, NearChangesShareAHunkAndFarOnesDoNot) {
  std::string before, near, far;
  for (int i = 0; i < 30; ++i) {
    const std::string line = std::to_string(i) + "\n";
    before += line;
    near += i == 5 || i == 12 ? "x\n" : line;
    far += i == 5 || i == 13 ? "x\n" : line;
  }
  auto hunks = [](const std::string& text) {
    size_t count = 0;
    for (size_t at = text.find("\n@@ "); at != std::string::npos; at = text.find("\n@@ ", at + 1)) ++count;
    return count;
  };
  EXPECT_EQ(hunks(MakeUnifiedDiff("/file", before, near).text), 1u);
  EXPECT_EQ(hunks(MakeUnifiedDiff("/file", before, far).text), 2u);
}

TEST_F(UnifiedDiffTest, GitAppliesEveryOne) {
  std::mt19937 random(20250904);
  for (int round = 0; round < 120; ++round) {
    std::string before, after;
    const int lines = 1 + static_cast<int>(random() % 40);
    for (int i = 0; i < lines; ++i) {
      const std::string line = std::to_string(random() % 8) + (random() % 9 == 0 ? "\r\n" : "\n");
      if (random() % 8 != 0) before += line;
      if (random() % 8 != 0) after += line;
    }
    if (before.empty() || after.empty() || before == after) continue;
    if (random() % 4 == 0) before.pop_back();
    if (random() % 4 == 0) after.pop_back();
    if (before.empty() || after.empty() || before == after) continue;
    ASSERT_EQ(Applied(before, MakeUnifiedDiff("/file", before, after).text), after) << "round " << round;
  }
}

TEST_F(UnifiedDiffTest, VeryDifferentTextsStillApply) {
  std::string before, after;
  for (int i = 0; i < 2 * kMaxEdits; ++i) {
    before += "a" + std::to_string(i) + "\n";
    after += "b" + std::to_string(i) + "\n";
  }
  EXPECT_EQ(Applied(before, MakeUnifiedDiff("/file", before, after).text), after);
}

}  // namespace
}  // namespace omnix
