#include "agents/sources/git_history.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "common/hash.h"
#include "common/process.h"

namespace omnix {
namespace {

class GitTest : public testing::Test {
 protected:
  GitTest() : folder_(testing::TempDir() + "git-" + RandomHex(6)) {
    std::filesystem::create_directories(folder_);
    Run({"git", "init", "-q", "."});
    Commit("a.conf", "one\ntwo\nthree\n", "Add a");
    Commit("b.conf", "x\n", "Add b");
    Commit("a.conf", "one\nTWO\nthree\n", "Change two");
  }
  ~GitTest() override { std::filesystem::remove_all(folder_); }

  void Run(const std::vector<std::string>& argv) {
    ProcessOptions options;
    options.cwd = folder_;
    const auto result = RunProcess(argv, options);
    ASSERT_TRUE(result.ok() && result->exit_code == 0) << (result.ok() ? result->err : result.status().ToString());
  }
  void Commit(const std::string& file, const std::string& text, const std::string& subject) {
    std::ofstream(folder_ + "/" + file) << text;
    Run({"git", "add", "-A"});
    Run({"git", "-c", "user.name=Ann", "-c", "user.email=ann@shop.example", "commit", "-q", "-m", subject});
  }
  std::string folder_;
};

TEST_F(GitTest, LogNewestFirstWithFiles) {
  const auto log = GitLog(folder_, absl::UnixEpoch());
  ASSERT_TRUE(log.ok()) << log.status();
  ASSERT_EQ(log->size(), 3u);
  EXPECT_EQ((*log)[0].subject, "Change two");
  EXPECT_EQ((*log)[0].author, "Ann");
  EXPECT_EQ((*log)[0].files, std::vector<std::string>{std::filesystem::canonical(folder_).string() + "/a.conf"});
  EXPECT_EQ(GitLog(folder_, absl::UnixEpoch(), {"b.conf"})->size(), 1u);
  EXPECT_EQ(GitLog(folder_, absl::Now() + absl::Hours(1))->size(), 0u);
}

TEST_F(GitTest, HunksAndBlame) {
  const auto log = GitLog(folder_, absl::UnixEpoch());
  ASSERT_TRUE(log.ok());
  const auto hunks = GitChange(folder_, (*log)[0].hash, "a.conf");
  ASSERT_TRUE(hunks.ok()) << hunks.status();
  ASSERT_EQ(hunks->size(), 1u);
  EXPECT_EQ((*hunks)[0].line, 2u);
  EXPECT_EQ((*hunks)[0].removed, std::vector<std::string>{"two"});
  EXPECT_EQ((*hunks)[0].added, std::vector<std::string>{"TWO"});
  EXPECT_EQ(GitBlame(folder_, "a.conf", 2)->subject, "Change two");
  EXPECT_EQ(GitBlame(folder_, folder_ + "/a.conf", 1)->subject, "Add a");
  std::ofstream(folder_ + "/b.conf") << "y\n";
  EXPECT_EQ(GitBlame(folder_, "b.conf", 1)->hash, "");
}

TEST_F(GitTest, EditsThatAreNotCommitted) {
  const std::string top = std::filesystem::canonical(folder_).string();
  EXPECT_TRUE(GitEdits(folder_)->empty());
  std::ofstream(folder_ + "/a.conf") << "one\nTWO\n3\n";
  std::ofstream(folder_ + "/unknown.conf") << "not known to git\n";
  std::filesystem::remove(folder_ + "/b.conf");
  const auto edits = GitEdits(folder_);
  ASSERT_TRUE(edits.ok()) << edits.status();
  ASSERT_EQ(edits->size(), 2u);
  EXPECT_EQ((*edits)[0].path, top + "/a.conf");
  EXPECT_LT(absl::Now() - (*edits)[0].written, absl::Minutes(1));
  EXPECT_EQ((*edits)[1].path, top + "/b.conf");
  EXPECT_EQ((*edits)[1].written, absl::InfinitePast());
  Run({"git", "add", "a.conf"});
  EXPECT_EQ(GitEdits(folder_)->size(), 2u) << "staged is not committed";
  const auto hunks = GitEditOf(folder_, top + "/a.conf");
  ASSERT_TRUE(hunks.ok()) << hunks.status();
  ASSERT_EQ(hunks->size(), 1u);
  EXPECT_EQ((*hunks)[0].line, 3u);
  EXPECT_EQ((*hunks)[0].removed, std::vector<std::string>{"three"});
  EXPECT_EQ((*hunks)[0].added, std::vector<std::string>{"3"});
}

TEST_F(GitTest, Errors) {
  EXPECT_EQ(GitLog(folder_ + "/none", absl::UnixEpoch()).status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(GitChange(folder_, "nocommit", "a.conf").ok());
}

}  // namespace
}  // namespace omnix
