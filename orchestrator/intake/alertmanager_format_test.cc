#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status.h"
#include "orchestrator/intake/alert_fields.h"
#include "orchestrator/intake/alert_intake.h"
#include "orchestrator/intake/reading_json.h"

namespace omnix {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const absl::Time kReceivedAt = absl::FromUnixSeconds(1'756'970'043);

absl::StatusOr<ParsedAlerts> Parse(const std::string& text) {
  static AlertIntake* const intake = AlertIntake::Create({})->release();
  return intake->Read({"alertmanager", {}, text, kReceivedAt});
}

std::string ErrorOf(const std::string& text) {
  const auto parsed = Parse(text);
  if (parsed.ok()) return "accepted";
  EXPECT_EQ(parsed.status().code(), absl::StatusCode::kFailedPrecondition);
  return Message(parsed.status());
}

TEST(Alertmanager, TakesWhatTheGroupSaysWhereTheAlertIsSilent) {
  const auto parsed = Parse(R"({"status": "resolved", "externalURL": "http://am:9093", "groupKey": "k",
    "commonLabels": {"alertname": "Down", "severity": "Page"}, "alerts": [
    {"labels": {"job": "api"}, "generatorURL": "javascript:alert", "annotations": {"summary": "s", "description": "d"}},
    {"labels": {"alertname": "Other"}, "status": "firing", "endsAt": "2999-01-01T00:00:00Z"}]})");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  const Json reading = ReadingJson(*parsed);
  EXPECT_EQ(reading["alerts"][0]["status"], "resolved");
  EXPECT_EQ(reading["alerts"][0]["severity"], "critical");
  EXPECT_EQ(reading["alerts"][0]["subject"], "api");
  EXPECT_EQ(reading["alerts"][0]["description"], "s\nd");
  EXPECT_EQ(reading["alerts"][0]["links"], Json({"http://am:9093"}));
  EXPECT_EQ(reading["alerts"][0]["ends_at"], nullptr);
  EXPECT_EQ(reading["alerts"][1]["severity"], "unknown") << "the common labels contradict this alert";
  EXPECT_FALSE(parsed->alerts[1].has_ends_at()) << "it fires";
}

TEST(Alertmanager, FingerprintOfLabelsIsStableAndSeparatesLabelSets) {
  const auto one =
      Parse(R"({"groupKey": "k", "alerts": [{"labels": {"a": "1", "b": "2"}}, {"labels": {"b": "2", "a": "1"}},
    {"labels": {"a": "1b", "": "2"}}, {"labels": {"a": "12"}}]})");
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_EQ(one->alerts[0].fingerprint(), one->alerts[1].fingerprint());
  EXPECT_NE(one->alerts[0].fingerprint(), one->alerts[2].fingerprint());
  EXPECT_NE(one->alerts[0].fingerprint(), one->alerts[3].fingerprint());
  EXPECT_EQ(one->alerts[0].fingerprint(), LabelFingerprint({{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(one->alerts[0].fingerprint().size(), 16u);
}

TEST(Alertmanager, SaysThatAlertsWereTruncated) {
  const auto parsed = Parse(R"({"truncatedAlerts": 7, "groupKey": "k", "alerts": [{"labels": {"alertname": "X"}}]})");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->truncated, 7u);
  EXPECT_EQ(parsed->alerts[0].labels().at("omnix_truncated_alerts"), "7");
}

TEST(Alertmanager, NamesTheFieldWhereNothingCanBeRead) {
  EXPECT_THAT(ErrorOf("[]"), HasSubstr("the body: expected an object"));
  EXPECT_THAT(ErrorOf("{}"), HasSubstr("/alerts: missing or empty"));
  EXPECT_THAT(ErrorOf(R"({"alerts": []})"), HasSubstr("/alerts: missing or empty"));
  EXPECT_THAT(ErrorOf(R"({"alerts": 5})"), HasSubstr("/alerts: missing or empty; expected the alerts"));
  EXPECT_THAT(ErrorOf(R"({"alerts": [{}]})"), HasSubstr("/alerts/0/labels: missing or empty"));
  EXPECT_THAT(ErrorOf(R"({"alerts": [7, {}]})"), HasSubstr("/alerts/0: expected an object"));
}

TEST(Alertmanager, WrongTypesBecomeTextOrDefaults) {
  const auto parsed = Parse(R"({"alerts": [{"labels": {"alertname": "X", "port": 8080, "on": true, "list": []},
    "annotations": "none", "status": "acked", "startsAt": "yesterday", "generatorURL": 5}]})");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  const v1::Alert& alert = parsed->alerts[0];
  EXPECT_EQ(alert.labels().at("port"), "8080");
  EXPECT_EQ(alert.labels().at("on"), "true");
  EXPECT_FALSE(alert.labels().contains("list"));
  EXPECT_EQ(alert.status(), v1::ALERT_STATUS_FIRING);
  EXPECT_EQ(alert.labels().at("omnix_given_starts_at"), "yesterday");
  EXPECT_EQ(alert.starts_at().seconds(), absl::ToUnixSeconds(kReceivedAt));
}

TEST(Alertmanager, OneBadAlertCostsItsNeighboursNothing) {
  const auto parsed = Parse(R"({"alerts": [{"labels": {"alertname": "X"}}, {"annotations": {"note": "find me"}}]})");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  ASSERT_EQ(parsed->alerts.size(), 2u);
  EXPECT_EQ(parsed->alerts[0].title(), "X");
  EXPECT_EQ(parsed->alerts[1].severity(), v1::SEVERITY_UNKNOWN);
  EXPECT_THAT(parsed->alerts[1].description(), HasSubstr("find me"));
  EXPECT_THAT(parsed->warnings, ElementsAre(AllOf(HasSubstr("/alerts/1/labels"), HasSubstr("kept"))));
}

TEST(Alertmanager, BoundsAndRedactsWhatItKeeps) {
  Json labels = {
      {"alertname", std::string(100'000, 'x')}, {"api_key", "hunter2hunter2"}, {"big", std::string(1 << 20, 'y')}};
  for (int i = 0; i < 500; ++i) labels[fmt::format("zz{}", i)] = "v";
  const auto parsed = Parse(DumpJson({{"groupKey", "k"}, {"alerts", {{{"labels", labels}}}}}));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  const v1::Alert& alert = parsed->alerts[0];
  EXPECT_LE(alert.title().size(), kMaxAlertTitleBytes);
  EXPECT_LE(alert.labels().at("big").size(), kMaxLabelValueBytes);
  EXPECT_EQ(alert.labels().at("omnix_dropped_labels"), std::to_string(503 - kMaxAlertLabels));
  EXPECT_THAT(alert.labels().at("api_key"), HasSubstr("[redacted]"));
  Json many = {{"groupKey", "k"}, {"alerts", Json::array()}};
  for (size_t i = 0; i <= kMaxAlertsPerBody; ++i) many["alerts"].push_back({{"fingerprint", "x"}});
  EXPECT_EQ(Parse(DumpJson(many)).status().code(), absl::StatusCode::kResourceExhausted);
  many["groupKey"] = 5;
  EXPECT_EQ(Parse(DumpJson(many)).status().code(), absl::StatusCode::kResourceExhausted) << "the filter's way";
}

}  // namespace
}  // namespace omnix
