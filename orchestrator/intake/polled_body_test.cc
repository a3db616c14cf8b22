#include "orchestrator/intake/polled_body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status.h"
#include "common/time.h"

namespace omnix {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr auto kAlertmanager = v1::ALERT_POLL_KIND_ALERTMANAGER;
constexpr auto kPrometheus = v1::ALERT_POLL_KIND_PROMETHEUS;

TEST(PolledBody, AlertmanagersAlerts) {
  const auto body = ReadPolledBody(kAlertmanager, R"([
    {"labels": {"alertname": "Down"}, "annotations": {"summary": "s"}, "fingerprint": "f1", "startsAt": "2025-09-04T07:14:03Z",
     "endsAt": "2025-09-04T07:18:03Z", "status": {"state": "active", "silencedBy": []}, "generatorURL": "http://p/graph"},
    {"labels": {"alertname": "Quiet"}, "fingerprint": "f2", "status": {"state": "suppressed", "silencedBy": ["x"]}}])",
                                   "http://am");
  ASSERT_TRUE(body.ok()) << body.status();
  EXPECT_EQ(body->webhook["alerts"], Json::parse(R"([{"status": "firing", "labels": {"alertname": "Down"},
    "annotations": {"summary": "s"}, "startsAt": "2025-09-04T07:14:03Z", "generatorURL": "http://p/graph", "fingerprint": "f1"}])"));
  EXPECT_EQ(body->webhook["externalURL"], "http://am");
  EXPECT_THAT(body->held, ElementsAre("f2"));
}

TEST(PolledBody, PrometheussAlertsGetTheFingerprintsOfAlertmanager) {
  const auto body = ReadPolledBody(kPrometheus, R"({"status": "success", "data": {"alerts": [
    {"labels": {"alertname": "Down", "job": "api", "empty": ""}, "annotations": {}, "state": "firing",
     "activeAt": "2025-09-04T07:14:03.25Z", "value": "1e+00"},
    {"labels": {"alertname": "Slow"}, "state": "pending", "activeAt": "2025-09-04T07:14:03Z"}]}})",
                                   "http://prom");
  ASSERT_TRUE(body.ok()) << body.status();
  ASSERT_EQ(body->webhook["alerts"].size(), 1u);
  EXPECT_EQ(body->webhook["alerts"][0]["fingerprint"],
            AlertmanagerFingerprint({{"alertname", "Down"}, {"job", "api"}}));
  EXPECT_EQ(body->webhook["alerts"][0]["startsAt"], "2025-09-04T07:14:03.25Z");
  EXPECT_THAT(body->held, ElementsAre(AlertmanagerFingerprint({{"alertname", "Slow"}})));
  // FNV-1a of 64 bits; of no bytes it is its offset.
  EXPECT_EQ(AlertmanagerFingerprint({}), "cbf29ce484222325");
}

TEST(PolledBody, NoAlertsAreNoWebhook) {
  EXPECT_TRUE(ReadPolledBody(kAlertmanager, "[]", "")->webhook.is_null());
  EXPECT_TRUE(ReadPolledBody(kPrometheus, R"({"data": {"alerts": []}})", "")->webhook.is_null());
}

TEST(PolledBody, WhatIsNoAnswerOfTheApiIsAnError) {
  for (const auto& [kind, bytes] : std::vector<std::pair<v1::AlertPollKind, std::string>>{
           {kAlertmanager, R"({"status": "success", "data": {"alerts": []}})"},
           {kPrometheus, "[]"},
           {kPrometheus, R"({"status": "error", "error": "hunter2"})"},
           {kAlertmanager, "<html>hunter2</html>"},
           {kAlertmanager, ""},
           {kAlertmanager, R"(["hunter2"])"},
           {kAlertmanager, R"([{"labels": "hunter2"}])"}}) {
    const auto body = ReadPolledBody(kind, bytes, "");
    EXPECT_EQ(body.status().code(), absl::StatusCode::kInvalidArgument) << bytes;
    EXPECT_THAT(Message(body.status()), Not(HasSubstr("hunter2")));
  }
}

TEST(PolledBody, TheMonitorsOwnStart) {
  const absl::Time expected = *ParseTime("2025-09-04T07:14:03Z");
  EXPECT_EQ(*ReadPolledStart(kAlertmanager, R"({"uptime": "2025-09-04T07:14:03Z", "cluster": {}})"), expected);
  EXPECT_EQ(*ReadPolledStart(kPrometheus, R"({"data": {"startTime": "2025-09-04T07:14:03Z"}})"), expected);
  EXPECT_FALSE(ReadPolledStart(kPrometheus, "{}").ok());
}

}  // namespace
}  // namespace omnix
