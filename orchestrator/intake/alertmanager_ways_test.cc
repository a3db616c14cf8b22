// Alertmanager's bodies are read from their text, or after ParseBody has mended them, or by the filter: all ways lead
// to the same alerts, warnings and errors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "common/file.h"
#include "common/status.h"
#include "orchestrator/intake/alert_intake.h"
#include "orchestrator/intake/alertmanager_format.h"
#include "orchestrator/intake/body_mutator.h"
#include "orchestrator/intake/body_parser.h"

namespace omnix {
namespace {

const absl::Time kReceivedAt = absl::FromUnixSeconds(1'756'970'043);

std::string Shown(const absl::StatusOr<ParsedAlerts>& parsed) {
  if (!parsed.ok()) return parsed.status().ToString();
  std::string text = fmt::format("{} {} '{}' '{}'\n{}\n", parsed->format, parsed->truncated, parsed->note,
                                 parsed->reply_key, fmt::join(parsed->warnings, "\n"));
  for (const v1::Alert& alert : parsed->alerts) text += DumpJson(MessageToJsonValue(alert)) + "\n";
  return text;
}

class AlertmanagerWays : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    AlertIntakeOptions options;
    options.filters.threads = 1;
    quick_ = AlertIntake::Create(options)->release();
    // A folder's format of this name is always run as what it is: a filter.
    options.formats_folder = ::testing::TempDir() + "alertmanager_ways";
    std::filesystem::create_directories(options.formats_folder);
    std::filesystem::copy_file(std::string(OMNIX_FORMATS_FOLDER) + "/alertmanager.jq",
                               options.formats_folder + "/alertmanager.jq",
                               std::filesystem::copy_options::overwrite_existing);
    absl::StatusOr<std::unique_ptr<AlertIntake>> filtered = AlertIntake::Create(options);
    ASSERT_TRUE(filtered.ok()) << filtered.status();
    filtered_ = filtered->release();
  }
  static void TearDownTestSuite() {
    delete std::exchange(quick_, nullptr);
    delete std::exchange(filtered_, nullptr);
  }

  static void Compare(const std::string& format, const std::string& body) {
    EXPECT_EQ(Shown(quick_->Read({format, {}, body, kReceivedAt})),
              Shown(filtered_->Read({format, {}, body, kReceivedAt})))
        << format << ": " << body;
  }
  static void Compare(const std::string& body) {
    Compare("", body);
    Compare("alertmanager", body);
  }

  static AlertIntake* quick_;
  static AlertIntake* filtered_;
};

AlertIntake* AlertmanagerWays::quick_ = nullptr;
AlertIntake* AlertmanagerWays::filtered_ = nullptr;

std::vector<std::string> Samples() {
  std::vector<std::string> samples;
  for (const char* name : {"alertmanager", "alertmanager.truncated"}) {
    samples.push_back(*ReadFile(fmt::format("{}/samples/{}.json", OMNIX_FORMATS_FOLDER, name)));
  }
  return samples;
}

// A body with `value` as the text of one field, of the group ("/status") or of its first alert ("/alerts/0/startsAt").
std::string With(const std::string& pointer, const std::string& value) {
  Json body = {{"groupKey", "k"},
               {"status", "firing"},
               {"commonLabels", {{"severity", "warning"}}},
               {"alerts",
                {{{"labels", {{"alertname", "Down"}, {"job", "api"}}},
                  {"annotations", {{"summary", "s"}, {"description", "d"}}},
                  {"status", "resolved"},
                  {"startsAt", "2025-09-04T07:14:03.123Z"},
                  {"endsAt", "2025-09-04T07:14:03Z"},
                  {"fingerprint", "0123456789abcdef"}},
                 {{"labels", {{"alertname", "Up"}}}}}}};
  constexpr char kMark[] = "the marked place";
  body[Json::json_pointer(pointer)] = kMark;
  std::string text = DumpJson(body);
  const std::string quoted = fmt::format("\"{}\"", kMark);
  return text.replace(text.find(quoted), quoted.size(), value);
}

const std::vector<std::string> kPlaces = {"/status",
                                          "/commonLabels",
                                          "/commonLabels/severity",
                                          "/externalURL",
                                          "/truncatedAlerts",
                                          "/orgId",
                                          "/unknown",
                                          "/alerts",
                                          "/alerts/0",
                                          "/alerts/0/labels",
                                          "/alerts/0/labels/alertname",
                                          "/alerts/0/labels/severity",
                                          "/alerts/0/annotations",
                                          "/alerts/0/annotations/summary",
                                          "/alerts/0/fingerprint",
                                          "/alerts/0/status",
                                          "/alerts/0/startsAt",
                                          "/alerts/0/endsAt",
                                          "/alerts/0/generatorURL",
                                          "/alerts/0/unknown"};

TEST_F(AlertmanagerWays, AgreeOnEachFieldOfAnyType) {
  const std::vector<std::string> values = {"null",
                                           "true",
                                           "0",
                                           "-0",
                                           "7",
                                           "-7",
                                           "1.5",
                                           "-1e3",
                                           "1e300",
                                           "1e999",
                                           "9007199254740992",
                                           "9007199254740993",
                                           "-9007199254740993",
                                           "18446744073709551615",
                                           "18446744073709551616",
                                           "1756970000",
                                           "1756970000123",
                                           "\"\"",
                                           "\"x\"",
                                           "\"https://x.example/?a=b\"",
                                           "\"0001-01-01T00:00:00Z\"",
                                           "\"2999-01-01T00:00:00Z\"",
                                           "\"\\u0000\"",
                                           "\"\\ud83d\\ude00\"",
                                           "\"\\ud83d\"",
                                           "\"a\\udc00b\"",
                                           "\"\\u00e9\\n\\\"\"",
                                           "\"\x01\"",
                                           "\"\xff\"",
                                           "\"\xed\xa0\x80\"",
                                           "[]",
                                           "{}",
                                           "[{}]",
                                           "[1,\"a\",null]",
                                           "[\"2025-09-04T07:14:03Z\"]",
                                           "{\"a\":\"b\"}",
                                           "{\"a\":{}}",
                                           "{\"a\":\"\"}",
                                           "{\"a\":null,\"b\":\"c\"}",
                                           "{\"severity\":\"info\",\"severity\":\"page\"}",
                                           "{\"\":\"x\",\"b\":5}",
                                           "{\"z\":\"1\",\"a\":\"2\"}",
                                           "[{\"labels\":{\"a\":\"b\"}}]",
                                           "",
                                           "nul",
                                           "01",
                                           "1."};
  for (const std::string& place : kPlaces) {
    for (const std::string& value : values) Compare(With(place, value));
  }
}

std::string Nested(size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); }

TEST_F(AlertmanagerWays, AgreeOnKeysThatStandTwice) {
  for (const char* body : {R"({"groupKey":"k","groupKey":"l","alerts":[{"labels":{"a":"b"}}]})",
                           R"({"groupKey":"k","alerts":[],"alerts":[{"labels":{"a":"b"}}]})",
                           R"({"groupKey":"k","alerts":[{"labels":{"a":"b"},"labels":{"a":"c"}}]})",
                           R"({"groupKey":"k","alerts":[{"labels":{"a":"b","\u0061":"c"}}]})",
                           R"({"groupKey":"k","alerts":[{"labels":{"a":"b"},"x":[[{"y":{"a":1,"b":2,"a":3}}]]}]})",
                           R"({"groupKey":"k","alerts":[{"labels":{"a":"b","":"1","":"2"}}]})"}) {
    Compare(body);
  }
  std::string labels;
  for (int i = 0; i < 60; ++i) labels += fmt::format("\"l{}\":\"v\",", i * 7 % 60);
  Compare(With("/alerts/0/labels", "{" + labels + "\"x\":\"y\"}"));
  Compare(With("/alerts/0/labels", "{" + labels + "\"l30\":\"y\"}"));
}

TEST_F(AlertmanagerWays, AgreeOnTheDocumentsEnds) {
  const std::string body = With("/status", "\"firing\"");
  const std::vector<std::string> odd = {"",
                                        " ",
                                        "\xef\xbb\xbf" + body,
                                        body + "\xef\xbb\xbf",
                                        body + " \r\n\t",
                                        " \r\n\t" + body,
                                        body + body,
                                        body + "x",
                                        body + ",",
                                        body + std::string(1, '\0'),
                                        std::string(1, '\0') + body,
                                        body.substr(0, body.size() - 1),
                                        "[" + body + "]",
                                        "\"" + body + "\"",
                                        "{}",
                                        "[]",
                                        "null",
                                        "7"};
  for (const std::string& text : odd) Compare(text);
}

TEST_F(AlertmanagerWays, AgreeOnTheLimits) {
  // The body is one level, so are its alerts, each of them, and its labels.
  for (const size_t levels : {kMaxBodyDepth - 2, kMaxBodyDepth - 1, kMaxBodyDepth, kMaxBodyDepth + 1}) {
    Compare(With("/unknown", Nested(levels)));
    Compare(With("/alerts/0/unknown", Nested(levels - 2)));
  }
  const std::string frame = With("/unknown", "[]");
  const size_t at = frame.find("[]") + 1;
  for (const size_t values : {kMaxBodyValues - 60, kMaxBodyValues - 30, kMaxBodyValues}) {
    std::string many = "1";
    for (size_t i = 1; i < values; ++i) many += ",1";
    Compare("alertmanager", std::string(frame).insert(at, many));
  }
}

// As many labels as fit, and none of them a severity: comparing each with each would take minutes.
TEST_F(AlertmanagerWays, TakeNoTimeForManyLabels) {
  constexpr int kLabels = 60'000;
  std::string common;
  std::string own;
  for (int i = 0; i < kLabels; ++i) {
    common += fmt::format("{}\"g{}\":\"1\"", i > 0 ? "," : "", i);
    own += fmt::format("{}\"l{}\":\"1\"", i > 0 ? "," : "", i);
  }
  const std::string body =
      fmt::format(R"({{"groupKey":"k","commonLabels":{{{}}},"alerts":[{{"labels":{{{}}}}}]}})", common, own);
  const absl::Time began = absl::Now();
  EXPECT_TRUE(ReadPlainAlertmanager(body, /*named=*/true).has_value());
  EXPECT_LT(absl::Now() - began, absl::Seconds(5)) << "a twentieth of a second, where nothing is wrong";
}

TEST_F(AlertmanagerWays, AgreeOnOtherSendersBodies) {
  for (const std::string& file : Glob(std::string(OMNIX_FORMATS_FOLDER) + "/samples/*.json")) {
    if (!file.ends_with(".expected.json")) Compare(*ReadFile(file));
  }
}

TEST_F(AlertmanagerWays, AgreeOnMutatedBodies) {
  BodyMutator mutator(2);
  const std::vector<std::string> samples = Samples();
  size_t plain = 0;
  for (size_t round = 0; round < 4000 && !HasFailure(); ++round) {
    const std::string& sample = samples[round % samples.size()];
    const std::string body = round % 3 == 0 ? mutator.Bytes(sample) : DumpJson(mutator.Values(*ParseJson(sample)));
    plain += ReadPlainAlertmanager(body, /*named=*/true) ? 1 : 0;
    Compare(round % 4 == 0 ? "" : "alertmanager", body);
  }
  EXPECT_GT(plain, 1000u) << "the quick way must be taken, or nothing is compared";
}

// What each way is for.
TEST_F(AlertmanagerWays, AreTakenAsFarAsTheyGo) {
  const auto plain = [](const std::string& text) { return ReadPlainAlertmanager(text, /*named=*/true).has_value(); };
  for (const std::string& sample : Samples()) EXPECT_TRUE(plain(sample)) << sample;
  EXPECT_TRUE(plain(With("/alerts/0/labels/alertname", "\"\\ud83d\\ude00\"")));
  EXPECT_FALSE(plain(With("/alerts/0/labels/alertname", "\"\\ud83d\"")));
  EXPECT_FALSE(plain(With("/unknown", R"([{"a":1,"a":1}])")));
  EXPECT_FALSE(plain(With("/alerts/0/labels/alertname", "5")));
  EXPECT_TRUE(plain(With("/unknown", Nested(kMaxBodyDepth - 1))));
  EXPECT_FALSE(plain(With("/unknown", Nested(kMaxBodyDepth))));
  EXPECT_TRUE(ReadPlainAlertmanager(With("/unknown", "1"), /*named=*/false).has_value());
  EXPECT_FALSE(ReadPlainAlertmanager(With("/orgId", "1"), /*named=*/false).has_value());
}

}  // namespace
}  // namespace omnix
