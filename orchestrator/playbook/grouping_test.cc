#include "orchestrator/playbook/grouping.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "absl/cleanup/cleanup.h"
#include "common/status.h"

namespace omnix {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<v1::Grouping> Load(const std::string& text) {
  std::string path = ::testing::TempDir() + "/omnix-grouping-XXXXXX";
  const int file = mkstemp(path.data());
  EXPECT_GE(file, 0);
  close(file);
  const absl::Cleanup remove = [&] { std::remove(path.c_str()); };
  std::ofstream(path) << text;
  return LoadGrouping(path);
}

TEST(LoadGroupingTest, ReadsTheExample) {
  const auto grouping = LoadGrouping(std::string(OMNIX_SOURCE_DIR) + "/deploy/examples/grouping.yaml");
  ASSERT_TRUE(grouping.ok()) << Message(grouping.status());
  ASSERT_EQ(3, grouping->rules_size());
  EXPECT_EQ(v1::GROUP_BY_LABELS, grouping->rules(0).by());
  EXPECT_EQ("*-eu", grouping->rules(0).match().labels().at("cluster"));
  EXPECT_EQ(600, grouping->rules(0).window().seconds());
  EXPECT_EQ(v1::SEVERITY_WARNING, grouping->rules(1).match().severities(0));
  EXPECT_EQ(3u, grouping->rules(1).occurrences().count());
  EXPECT_EQ(v1::LATE_ALERTS_REOPEN, grouping->rules(1).late());
  EXPECT_EQ(4u, grouping->rules(1).flapping().changes());
}

TEST(LoadGroupingTest, TellsWhatIsWrongWithItsLine) {
  struct Case {
    std::string text;
    std::string line;
    std::string what;
  };
  const std::vector<Case> cases = {
      {"rules:\n  - by: subject\n", ":2", "a name is required"},
      {"rules:\n  - {name: a, by: none, match: {sources: [x]}}\n  - name: a\n", ":3", "taken already"},
      {"rules:\n  - name: a\n    by: labels\n", ":3", "which labels"},
      {"rules:\n  - name: a\n    labels: [x]\n", ":3", "only for `by: labels`"},
      {"rules:\n  - name: a\n    window: 0s\n", ":3", "longer than nothing"},
      {"rules:\n  - name: a\n    occurrences: {count: 1}\n", ":3", "must be 2 to 100"},
      {"rules:\n  - name: a\n    occurrences: {count: 3, within: 30h}\n", ":3", "1s to 24h"},
      {"rules:\n  - name: a\n    late_within: 3h\n", ":3", "only for `late: reopen`"},
      {"rules:\n  - name: a\n    late: reopen\n    late_within: 0s\n", ":4", "longer than nothing"},
      {"rules:\n  - name: a\n    flapping: {changes: 101}\n", ":3", "at most 100"},
      {"flapping: {quiet: 0s}\nrules: []\n", ":1", "1s to 24h"},
      {"rules:\n  - name: a\n  - name: b\n", ":2", "never reached"},
      {"rules:\n  - name: a\n    by: magic\n", ":3", "magic"},
      {"rules:\n  - name: a\n    match:\n      when: '.x |'\n", ":4", "jq"},
      {"rules:\n  - name: a\n    windw: 1m\n", ":3", "windw"},
  };
  for (const auto& c : cases) {
    const auto grouping = Load(c.text);
    ASSERT_FALSE(grouping.ok()) << c.text;
    EXPECT_THAT(Message(grouping.status()), HasSubstr(c.line)) << c.text;
    EXPECT_THAT(Message(grouping.status()), HasSubstr(c.what)) << c.text;
  }
}

TEST(LoadGroupingTest, OfAValueThatCannotBeReadOneThingIsSaid) {
  const std::string message = Message(Load("rules:\n  - name: a\n    window: soon\n").status());
  EXPECT_THAT(message, HasSubstr("rules[0].window: expected"));
  EXPECT_THAT(message, ::testing::Not(HasSubstr("longer than nothing")));
}

}  // namespace
}  // namespace omnix
