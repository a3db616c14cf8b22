#include "orchestrator/intake/alert_source_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "common/time.h"

namespace omnix {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

absl::StatusOr<v1::AlertSources> Load(const std::string& text) {
  const std::string path = ::testing::TempDir() + "/sources.yaml";
  std::ofstream(path) << text;
  return LoadAlertSources(path, {"alertmanager", "shop"});
}

TEST(AlertSourceConfig, FillsInWhatIsNotSaid) {
  const auto sources = Load("sources:\n  - {name: prom, interval: 2m}\n");
  ASSERT_TRUE(sources.ok()) << sources.status();
  EXPECT_EQ(FromProto(sources->sources(0).interval()), absl::Minutes(2));
  EXPECT_EQ(sources->sources(0).severity(), v1::SEVERITY_CRITICAL);
  EXPECT_EQ(sources->sources(0).service(), "prom");
}

TEST(AlertSourceConfig, NamesEveryMistakeWithItsPlace) {
  const auto sources = Load(R"(sources:
  - {name: Prom, interval: 2m}
  - name: am
    interval: 10ms
  - name: am
    interval: 1m
    grace: 200h
  - name: late
  - {name: typo, interval: 1m, format: alertmanger}
  - {name: own, interval: 1m, format: shop}
)");
  ASSERT_TRUE(absl::IsInvalidArgument(sources.status()));
  const std::string message(sources.status().message());
  EXPECT_THAT(message, HasSubstr("sources.yaml:2:"));
  EXPECT_THAT(message, HasSubstr("sources.yaml:4:"));
  EXPECT_THAT(message, HasSubstr("sources[1].interval: expected 1s to 168h"));
  EXPECT_THAT(message, HasSubstr("sources[2].name: this name is taken already"));
  EXPECT_THAT(message, HasSubstr("sources[2].grace: expected 0s to 168h"));
  EXPECT_THAT(message, HasSubstr("sources[3].interval: required"));
  EXPECT_THAT(message, HasSubstr("sources[4].format: no alert format has this name; known: alertmanager, shop"));
  EXPECT_THAT(message, Not(HasSubstr("sources[5]")));
}

}  // namespace
}  // namespace omnix
