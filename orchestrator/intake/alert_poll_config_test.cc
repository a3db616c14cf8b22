#include "orchestrator/intake/alert_poll_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/status.h"
#include "common/time.h"

namespace omnix {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

absl::StatusOr<v1::AlertPolls> Load(const std::string& yaml) {
  const std::string path = testing::TempDir() + "omnix-polls-" + std::to_string(getpid()) + ".yaml";
  std::ofstream(path) << yaml;
  auto polls = LoadAlertPolls(path);
  std::filesystem::remove(path);
  return polls;
}

std::string MistakesOf(const std::string& yaml) {
  const auto polls = Load(yaml);
  return polls.ok() ? "accepted" : Message(polls.status());
}

TEST(AlertPollConfig, FillsInWhatIsNotSaid) {
  const auto polls = Load(R"(polls:
  - {name: prom-eu, kind: prometheus, url: "https://prometheus.internal/prom/"}
  - name: am
    kind: alertmanager
    url: http://am:9093
    interval: 30s
    header: {prefix: "Bearer ", value_file: /etc/omnix/am.token}
)");
  ASSERT_TRUE(polls.ok()) << polls.status();
  EXPECT_EQ(polls->polls(0).url(), "https://prometheus.internal/prom");
  EXPECT_EQ(FromProto(polls->polls(0).interval()), kDefaultPollInterval);
  EXPECT_EQ(FromProto(polls->polls(0).timeout()), kDefaultPollTimeout);
  EXPECT_EQ(FromProto(polls->polls(0).settle()), kDefaultPollSettle);
  EXPECT_EQ(FromProto(polls->polls(1).interval()), absl::Seconds(30));
}

TEST(AlertPollConfig, SaysAllThatIsWrongAndWhere) {
  const std::string mistakes = MistakesOf(R"(polls:
  - {name: Prom, kind: prometheus, url: "ftp://x"}
  - {name: a, url: "http://user:hunter2@am:9093", interval: 10ms}
  - {name: a, kind: alertmanager, url: "http://am/?x=1", header: {name: X-Key}}
)");
  EXPECT_THAT(mistakes, AllOf(HasSubstr(":2:"), HasSubstr("polls[0].name: expected up to 64"),
                              HasSubstr("polls[0].url: expected a URL that begins with http"),
                              HasSubstr("polls[1].kind: required: alertmanager or prometheus")));
  EXPECT_THAT(mistakes, AllOf(HasSubstr("polls[1].url: holds credentials"), HasSubstr("polls[1].interval: expected"),
                              HasSubstr("polls[2].name: this name is taken already"),
                              HasSubstr("polls[2].url: must have no query"),
                              HasSubstr("polls[2].header: needs one of value_file and value_env")));
  EXPECT_THAT(mistakes, testing::Not(HasSubstr("hunter2")));
  EXPECT_THAT(MistakesOf("polls: [{nmae: a}]"), HasSubstr("polls[0].nmae: unknown key"));
}

}  // namespace
}  // namespace omnix
