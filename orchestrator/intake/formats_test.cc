#include "orchestrator/intake/formats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "common/file.h"
#include "common/status.h"
#include "common/time.h"
#include "orchestrator/intake/alert_fields.h"

namespace omnix {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const absl::Time kReceivedAt = absl::FromUnixSeconds(1'756'970'043);

absl::StatusOr<ParsedAlerts> Parse(const std::string& format, const std::string& text) {
  static const AlertFormats* const kFormats = new AlertFormats(AlertFormats::BuiltIn());
  OMNIX_ASSIGN_OR_RETURN(const Json body, ParseJson(text));
  return kFormats->Find(format)->parse(body, kReceivedAt);
}

std::string ErrorOf(const std::string& format, const std::string& text) {
  const auto parsed = Parse(format, text);
  return parsed.ok() ? "accepted" : Message(parsed.status());
}

std::string SeverityName(const v1::Alert& alert) {
  switch (alert.severity()) {
    case v1::SEVERITY_CRITICAL:
      return "critical";
    case v1::SEVERITY_ERROR:
      return "error";
    case v1::SEVERITY_WARNING:
      return "warning";
    case v1::SEVERITY_INFO:
      return "info";
    default:
      return "unknown";
  }
}

TEST(AlertFormats, FindsWhatItHoldsAndRefusesTwiceTheSame) {
  AlertFormats formats = AlertFormats::BuiltIn();
  EXPECT_THAT(formats.Names(), ElementsAre("alertmanager", "omnix"));
  EXPECT_EQ(formats.Find("nagios"), nullptr);
  EXPECT_EQ(formats.Add({"omnix", "", nullptr}).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(formats.Add({"Zab/bix", "", nullptr}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(formats.Add({"zabbix", "", nullptr}).ok());
  EXPECT_NE(formats.Find("zabbix"), nullptr);
}

TEST(Alertmanager, TakesWhatTheGroupSaysWhereTheAlertIsSilent) {
  const auto parsed = Parse("alertmanager", R"({"status": "resolved", "externalURL": "http://am:9093",
    "commonLabels": {"alertname": "Down", "severity": "Page"}, "alerts": [
    {"labels": {"job": "api"}, "generatorURL": "javascript:alert", "annotations": {
  "summary" : "s", "description" : "d"}},
    {"labels": {"alertname": "Other"}, "status": "firing", "endsAt": "2999-01-01T00:00:00Z"}]
})");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  const v1::Alert& first = parsed->alerts[0];
  EXPECT_EQ(first.status(), v1::ALERT_STATUS_RESOLVED);
  EXPECT_EQ(first.severity(), v1::SEVERITY_CRITICAL);
  EXPECT_EQ(first.subject(), "api");
  EXPECT_EQ(first.description(), "s\nd");
  EXPECT_THAT(first.links(), ElementsAre("http://am:9093"));
  EXPECT_EQ(FromProto(first.starts_at()), kReceivedAt);
  EXPECT_EQ(FromProto(first.ends_at()), kReceivedAt);
  const v1::Alert& second = parsed->alerts[1];
  EXPECT_EQ(second.severity(), v1::SEVERITY_UNKNOWN) << "the common labels contradict this alert";
  EXPECT_FALSE(second.has_ends_at()) << "it fires";
}

TEST(Alertmanager, FingerprintOfLabelsIsStableAndSeparatesLabelSets) {
  const auto one =
      Parse("alertmanager", R"({"alerts": [{"labels": {"a": "1", "b": "2"}}, {"labels": {"b": "2", "a": "1"}},
    {"labels": {"a": "1b", "": "2"}}, {"labels": {"a": "12"}}]})");
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_EQ(one->alerts[0].fingerprint(), one->alerts[1].fingerprint());
  EXPECT_NE(one->alerts[0].fingerprint(), one->alerts[2].fingerprint());
  EXPECT_NE(one->alerts[0].fingerprint(), one->alerts[3].fingerprint());
  EXPECT_EQ(one->alerts[0].fingerprint(), LabelFingerprint({{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(one->alerts[0].fingerprint().size(), 16u);
}

TEST(Alertmanager, SaysThatAlertsWereTruncated) {
  const auto parsed = Parse("alertmanager", R"({"truncatedAlerts": 7, "alerts": [{"labels": {"alertname": "X"}}]})");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->truncated, 7u);
  EXPECT_EQ(parsed->alerts[0].labels().at("omnix_truncated_alerts"), "7");
}

TEST(Alertmanager, NamesTheWrongField) {
  const auto error = [](const std::string& text) { return ErrorOf("alertmanager", text); };
  EXPECT_THAT(error("[]"), HasSubstr("the body: expected an object, found an array"));
  EXPECT_THAT(error("{}"), HasSubstr("/alerts: missing or empty"));
  EXPECT_THAT(error(R"({"alerts": []})"), HasSubstr("/alerts: missing or empty"));
  EXPECT_THAT(error(R"({"alerts": 5})"), HasSubstr("/alerts: expected an array, found a number"));
  EXPECT_THAT(error(R"({"alerts": [{"labels": {"a": "b"}}, 5]})"), HasSubstr("/alerts/1: expected an object"));
  EXPECT_THAT(error(R"({"alerts": [{"labels": {"a/b~": 5}}]})"),
              HasSubstr("/alerts/0/labels/a~1b~0: expected a string"));
  EXPECT_THAT(error(R"({"alerts": [{}]})"), HasSubstr("/alerts/0/labels: missing or empty"));
  EXPECT_THAT(error(R"({"alerts": [{"labels": {"a": "b"}, "status": "acked"}]})"), HasSubstr("/alerts/0/status"));
  EXPECT_THAT(error(R"({"alerts": [{"labels": {"a": "b"}, "startsAt": "yesterday"}]})"),
              HasSubstr("/alerts/0/startsAt"));
  EXPECT_THAT(error(R"({"truncatedAlerts": -1, "alerts": []})"), HasSubstr("/truncatedAlerts"));
}

TEST(Alertmanager, BoundsAndRedactsWhatItKeeps) {
  Json labels = {{"alertname", std::string(100'000, 'x')}, {"api_key", "hunter2hunter2"}};
  for (int i = 0; i < 500; ++i) labels[fmt::format("zz{}", i)] = "v";
  const auto parsed = Parse("alertmanager", DumpJson({{"alerts", {{{"labels", labels}}}}}));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  const v1::Alert& alert = parsed->alerts[0];
  EXPECT_LE(alert.title().size(), kMaxAlertTitleBytes);
  EXPECT_EQ(alert.labels().at("omnix_dropped_labels"), std::to_string(502 - kMaxAlertLabels));
  EXPECT_THAT(alert.labels().at("api_key"), HasSubstr("[redacted]"));
  Json many = {{"alerts", Json::array()}};
  for (size_t i = 0; i <= kMaxAlertsPerBody; ++i) many["alerts"].push_back({{"fingerprint", "x"}});
  EXPECT_EQ(Parse("alertmanager", DumpJson(many)).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(OmnixFormat, TakesOneOrMany) {
  const auto one = Parse("omnix", R"({"title": "down\u0007", "severity": "HIGH", "labels": {"site": "eu"}})");
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_EQ(one->alerts[0].title(), "down ");
  EXPECT_EQ(one->alerts[0].severity(), v1::SEVERITY_ERROR);
  EXPECT_EQ(one->alerts[0].status(), v1::ALERT_STATUS_FIRING);
  const auto many =
      Parse("omnix", R"({"alerts": [{"title": "a"}, {"title": "a", "status": "resolved"}, {"title": "b"}]})");
  ASSERT_TRUE(many.ok()) << many.status();
  EXPECT_EQ(many->alerts[0].fingerprint(), many->alerts[1].fingerprint());
  EXPECT_NE(many->alerts[0].fingerprint(), many->alerts[2].fingerprint());
}

TEST(OmnixFormat, RefusesByName) {
  EXPECT_THAT(ErrorOf("omnix", R"({"title": "a", "sevrity": "x"})"),
              AllOf(HasSubstr("/sevrity: unknown key"), HasSubstr("severity")));
  EXPECT_THAT(ErrorOf("omnix", R"({"alerts": [{"severity": "info"}]})"), HasSubstr("/alerts/0/title: required"));
  EXPECT_THAT(ErrorOf("omnix", R"({"title": "a", "severity": "purple"})"), HasSubstr("/severity: expected critical"));
  EXPECT_THAT(ErrorOf("omnix", R"({"title": 7})"), HasSubstr("/title: expected a string"));
  EXPECT_THAT(ErrorOf("omnix", R"({"alerts": [], "x": 1})"), HasSubstr("/x: unknown key"));
  EXPECT_THAT(
      ErrorOf("omnix", R"({"title": "a", "starts_at": "2025-09-04T08:00:00Z", "ends_at": "2025-09-04T07:00:00Z"})"),
      HasSubstr("/ends_at: is before"));
}

// Bodies of real senders, where the checkout has them.
std::string PayloadFolder() {
  const char* shared = std::getenv("OMNIX_SHARED");
  const std::filesystem::path source = std::filesystem::absolute(__FILE__).parent_path().parent_path().parent_path();
  return (shared != nullptr ? std::filesystem::path(shared) : source.parent_path() / "shared").string() +
         "/alert-payloads";
}

// `field`, or one of the values that are as good.
bool Matches(const Json& expected, const std::string& field, const std::string& value) {
  if (expected.value(field, Json()).is_null()) return true;
  const Json any = expected.value(field + "_any", Json::array());
  return expected[field] == value || std::ranges::find(any, Json(value)) != any.end();
}

void CheckAlert(const Json& expected, const v1::Alert& alert) {
  EXPECT_TRUE(Matches(expected, "title", alert.title())) << alert.title();
  EXPECT_TRUE(Matches(expected, "severity", SeverityName(alert))) << SeverityName(alert);
  EXPECT_TRUE(Matches(expected, "subject", alert.subject())) << alert.subject();
  EXPECT_TRUE(Matches(expected, "dedup_key", alert.fingerprint())) << alert.fingerprint();
  EXPECT_EQ(expected["status"], alert.status() == v1::ALERT_STATUS_RESOLVED ? "resolved" : "firing");
  for (const auto& [name, value] : expected["labels"].items()) EXPECT_EQ(alert.labels().at(name), value);
  const auto check_time = [](const Json& time, bool has, const google::protobuf::Timestamp& actual) {
    ASSERT_EQ(!time.is_null(), has);
    if (has) {
      EXPECT_LE(absl::AbsDuration(FromProto(actual) - *ParseTime(time)), absl::Milliseconds(1));
    }
  };
  check_time(expected["starts_at"], alert.has_starts_at(), alert.starts_at());
  check_time(expected["ends_at"], alert.has_ends_at(), alert.ends_at());
}

TEST(Alertmanager, ReadsTheBodiesOfRealSenders) {
  const auto index = ReadFile(PayloadFolder() + "/index.json");
  if (!index.ok()) GTEST_SKIP() << "no payloads of real senders here: " << index.status();
  int read = 0;
  const Json entries = *ParseJson(*index);
  for (const Json& entry : entries) {
    const bool family = entry["vendor"] == "alertmanager" || entry["format"] == "grafana.unified";
    if (!family) continue;
    const std::string file = entry["file"];
    SCOPED_TRACE(file);
    const auto parsed = Parse("alertmanager", *ReadFile(PayloadFolder() + "/" + file));
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    ++read;
    ASSERT_EQ(parsed->alerts.size(), entry["count"].get<size_t>());
    // Grafana's own expectations are its own format's matter: here its extra fields are only tolerated.
    if (entry["vendor"] != "alertmanager") continue;
    const Json expected = entry.value("alerts", Json::array({entry["expected"]}));
    for (size_t i = 0; i < expected.size(); ++i) CheckAlert(expected[i], parsed->alerts[i]);
  }
  EXPECT_GE(read, 3);
}

}  // namespace
}  // namespace omnix
