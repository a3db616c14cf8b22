#include "orchestrator/intake/alert_intake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/status.h"
#include "orchestrator/intake/body_parser.h"
#include "orchestrator/intake/reading_json.h"

namespace omnix {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const absl::Time kReceivedAt = absl::FromUnixSeconds(1'756'970'043);

class TempFolder {
 public:
  TempFolder() : path_(testing::TempDir() + "/omnix-intake-XXXXXX") { EXPECT_NE(mkdtemp(path_.data()), nullptr); }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::string& path() const { return path_; }
  void Write(const std::string& name, const std::string& text) { std::ofstream(path_ + "/" + name) << text; }

 private:
  std::string path_;
};

class AlertIntakeTest : public ::testing::Test {
 protected:
  AlertIntake& intake() {
    if (!intake_) {
      auto created = AlertIntake::Create(options_);
      EXPECT_TRUE(created.ok()) << created.status();
      intake_ = *std::move(created);
    }
    return *intake_;
  }
  absl::StatusOr<ParsedAlerts> Read(const std::string& format, const std::string& bytes,
                                    std::map<std::string, std::string> headers = {}) {
    return intake().Read({format, std::move(headers), bytes, kReceivedAt});
  }
  // The only alert of a body that is kept unread.
  v1::Alert Unread(const std::string& format, const std::string& bytes) {
    const auto parsed = Read(format, bytes);
    if (!parsed.ok() || parsed->alerts.size() != 1) {
      ADD_FAILURE() << parsed.status();
      return {};
    }
    EXPECT_THAT(parsed->warnings, ElementsAre(HasSubstr("kept as an alert of unknown severity")));
    EXPECT_EQ(parsed->alerts[0].severity(), v1::SEVERITY_UNKNOWN);
    EXPECT_EQ(parsed->alerts[0].status(), v1::ALERT_STATUS_FIRING);
    return parsed->alerts[0];
  }
  // A folder with one format.
  void UseFormat(const std::string& file, const std::string& text) {
    folder_.Write(file, text);
    options_.formats_folder = folder_.path();
  }
  // What is wrong with a folder with this file.
  std::string MistakeOf(const std::string& file, const std::string& text) {
    UseFormat(file, text);
    const auto created = AlertIntake::Create(options_);
    return created.ok() ? "accepted" : Message(created.status());
  }

  TempFolder folder_;
  AlertIntakeOptions options_;
  std::unique_ptr<AlertIntake> intake_;
};

TEST_F(AlertIntakeTest, UnknownJsonIsKeptWithItsBody) {
  const v1::Alert alert = Unread("", R"({"summary": "disk\nfull", "password": "hunter2", "n": 1502709956288000110})");
  EXPECT_EQ(alert.title(), "disk full");
  EXPECT_EQ(alert.source(), "unknown");
  EXPECT_THAT(alert.description(), AllOf(HasSubstr("1502709956288000110"), Not(HasSubstr("hunter2"))));
  EXPECT_EQ(Unread("", R"([1, 2])").title(), "an alert that Omnix could not read");
  EXPECT_EQ(Unread("", "7").fingerprint(), Unread("", "7").fingerprint()) << "a repetition is one";
  EXPECT_NE(Unread("", "7").fingerprint(), Unread("", "8").fingerprint());
}

TEST_F(AlertIntakeTest, SaysWhichFormatItTook) {
  EXPECT_EQ(Read("", R"({"title": "t", "severity": "info"})")->format, "omnix");
  EXPECT_EQ(Read("", R"({"groupKey": "k", "alerts": [{"labels": {"alertname": "X"}}]})")->format, "alertmanager");
  EXPECT_EQ(Read("icinga", R"({"notification_type": "PROBLEM", "host": "h", "state": "DOWN"})")->format, "nagios");
}

TEST_F(AlertIntakeTest, RecognizedButUnreadableIsKeptToo) {
  const v1::Alert alert = Unread("", R"({"event_action": "trigger", "routing_key": "R0UTINGKEY12345678"})");
  EXPECT_EQ(alert.source(), "pagerduty");
  EXPECT_THAT(alert.labels().at("omnix_unread"), HasSubstr("/payload"));
  EXPECT_THAT(alert.description(), Not(HasSubstr("R0UTINGKEY")));
}

TEST_F(AlertIntakeTest, ErrorsNameTheKnownFormatsThePlaceAndTheField) {
  const auto unknown = Read("nagois", "{}");
  EXPECT_EQ(unknown.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Message(unknown.status()), AllOf(HasSubstr("alertmanager"), HasSubstr("omnix"), HasSubstr("zabbix")));
  const auto broken = Read("datadog", "{\"title\": \"hunter2\",\n oops}");
  EXPECT_EQ(broken.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(broken.status()), AllOf(HasSubstr("line 2, column 2"), Not(HasSubstr("hunter2"))));
  const auto empty = Read("datadog", R"({"tags": "hunter2"})");
  EXPECT_EQ(empty.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(empty.status()), AllOf(HasSubstr("/title"), Not(HasSubstr("hunter2"))));
}

TEST_F(AlertIntakeTest, TellsOfRepeatedKeysAndOddTimes) {
  const auto parsed = Read("generic", "{\"title\": \"a\",\n\"title\": \"b\", \"starts_at\": \"2999-01-01T00:00:00Z\"}");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->alerts[0].title(), "b");
  EXPECT_THAT(parsed->warnings, ElementsAre(AllOf(HasSubstr("line 2"), HasSubstr("the last one counts"))));
  EXPECT_EQ(parsed->alerts[0].labels().at("omnix_given_starts_at"), "2999-01-01T00:00:00Z");
  EXPECT_EQ(parsed->alerts[0].starts_at().seconds(), absl::ToUnixSeconds(kReceivedAt));
}

TEST_F(AlertIntakeTest, OmnixsOwnFormatTellsOfOddTimesAsWell) {
  for (const std::string given : {"0025-09-04T07:14:03Z", "2999-01-01T00:00:00Z"}) {
    const auto parsed = Read("omnix", R"({"title": "a", "starts_at": ")" + given + R"("})");
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(parsed->alerts[0].labels().at("omnix_given_starts_at"), given);
    EXPECT_EQ(parsed->alerts[0].starts_at().seconds(), absl::ToUnixSeconds(kReceivedAt));
  }
}

// Through libjq and back, each item of what libjq 1.6 does otherwise.
TEST_F(AlertIntakeTest, NothingOfLibjqsWaysIsLeft) {
  const auto ids = Read("generic", R"({"title": "t", "labels": {"a": 9007199254740993, "b": 1502709956288000110}})");
  ASSERT_TRUE(ids.ok()) << ids.status();
  EXPECT_EQ(ids->alerts[0].labels().at("a"), "9007199254740993");
  EXPECT_EQ(ids->alerts[0].labels().at("b"), "1502709956288000110");
  for (const char* bad :
       {R"({"title": NaN})", R"({"title": 1e400})", "{\"title\": \"\xff\"}", "{\"title\": \"a\"} {}"}) {
    EXPECT_EQ(Read("generic", bad).status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
  EXPECT_EQ(Read("generic", std::string("{\"title\": \"a\"}\0", 15)).status().code(),
            absl::StatusCode::kInvalidArgument);
  std::string deep = "{\"title\": \"t\", \"x\": ";
  for (size_t i = 0; i < kMaxBodyDepth - 1; ++i) deep += "[";
  for (size_t i = 0; i < kMaxBodyDepth - 1; ++i) deep += "]";
  EXPECT_EQ(Read("generic", deep + "}")->alerts[0].title(), "t") << "what the parser lets through, libjq takes";
}

TEST_F(AlertIntakeTest, AFilterThatFailsOrHangsLosesNothingAndSaysNothingOfTheBody) {
  options_.filter_timeout = absl::Seconds(1);
  UseFormat("shop.jq",
            "def recognize: .shop != null;\ndef alerts: if .hang then def f: f; f else error(.title) end;\n");
  const v1::Alert failed = Unread("shop", R"({"shop": 1, "title": "find me"})");
  EXPECT_EQ(failed.labels().at("omnix_unread"), "the filter of this format failed");
  EXPECT_THAT(failed.description(), HasSubstr("find me"));
  EXPECT_EQ(Unread("", R"({"shop": 1, "hang": true})").labels().at("omnix_unread"),
            "the filter of this format took too long");
  EXPECT_EQ(Read("generic", R"({"title": "well"})")->alerts[0].title(), "well");
}

TEST_F(AlertIntakeTest, AFilterThatGivesNoAlertsIsWrong) {
  UseFormat("shop.jq", "def recognize: false;\ndef alerts: if .a then 7 else [{severity: \"info\"}] end;\n");
  EXPECT_EQ(Unread("shop", R"({"a": 1})").source(), "shop");
  EXPECT_EQ(Unread("shop", "{}").source(), "shop");
}

TEST_F(AlertIntakeTest, AFolderAddsAndReplacesFormats) {
  folder_.Write("datadog.jq", "def recognize: has(\"mine\");\ndef alerts: [{title: (\"mine: \" + (.mine | text))}];\n");
  UseFormat("shop.jq", "#: also laden\ndef recognize: has(\"alert_transition\");\ndef alerts: [{title: \"shop\"}];\n");
  EXPECT_EQ(Read("datadog", R"({"mine": 5})")->alerts[0].title(), "mine: 5");
  EXPECT_EQ(Read("laden", "{}")->alerts[0].title(), "shop");
  EXPECT_EQ(Read("", R"({"alert_transition": "Triggered", "title": "t"})")->format, "shop")
      << "the folder's come first";
}

TEST_F(AlertIntakeTest, ABadFilterIsRefusedWithFileAndLine) {
  EXPECT_THAT(MistakeOf("a.jq", "def recognize: true;\n\ndef alerts: [{title: .x +}];\n"),
              AllOf(HasSubstr("/a.jq:3: syntax error")));
  EXPECT_THAT(MistakeOf("a.jq", "def recognize: true;\ndef alerts:\n  nosuch(1);\n"),
              HasSubstr("/a.jq:3: nosuch/1 is not defined"));
  EXPECT_THAT(MistakeOf("a.jq", "def recognize: true;\n"), HasSubstr("/a.jq:1: alerts/0 is not defined"));
  EXPECT_THAT(MistakeOf("a.jq", "def recognize: true;\ndef alerts: (\n"), HasSubstr("/a.jq:2: "));
  EXPECT_THAT(MistakeOf("a.jq", "1) | (2"), HasSubstr("/a.jq:1: "));
  EXPECT_THAT(MistakeOf("A b.jq", "def recognize: true; def alerts: [];\n"),
              AllOf(HasSubstr("/A b.jq:1: "), HasSubstr("/a.jq:1: ")));
  options_.formats_folder = "/nonexistent";
  EXPECT_EQ(AlertIntake::Create(options_).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(AlertIntakeTest, AMappingNeedsNoJq) {
  UseFormat("watchdog.yaml", R"(about: Our own watchdog
recognize: has("watchdog")
each: .checks
title: .name   # the check
description: .detail
severity: .prio
severities: {"1": critical, "2": warning}
status: .state
resolved_words: [GREEN]
fingerprint: .key
subject: $body.watchdog
starts_at: .since
labels: {site: $body.site, prio: .prio}
links: ['"https://watchdog.example/" + .key']
)");
  const auto parsed = Read("", R"({"watchdog": "w1", "site": "eu", "checks": [
    {"name": "a", "detail": {"x": 1}, "prio": 1, "state": "red", "key": "k1", "since": 1756970000},
    {"name": "b", "prio": 9, "state": "Green", "key": "k2"}, {"prio": 1}]})");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->format, "watchdog");
  EXPECT_THAT(parsed->warnings, ElementsAre(HasSubstr("alert 2: the mapping finds no title")));
  const Json alerts = ReadingJson(*parsed)["alerts"];
  EXPECT_EQ(alerts[0],
            Json::parse(R"({"title": "a", "description": "{\"x\":1}", "severity": "critical", "status": "firing",
    "fingerprint": "watchdog:k1", "subject": "w1", "labels": {"site": "eu", "prio": "1"}, "starts_at": "2025-09-04T07:13:20.000Z",
    "ends_at": null, "links": ["https://watchdog.example/k1"]})"));
  EXPECT_EQ(alerts[1]["status"], "resolved");
  EXPECT_EQ(alerts[1]["severity"], "unknown");
}

TEST_F(AlertIntakeTest, ABadMappingIsRefusedWithFileLineAndKey) {
  EXPECT_THAT(MistakeOf("m.yaml", "about: x\ntitle: .a +\n"),
              AllOf(HasSubstr("/m.yaml:2:"), HasSubstr("title: syntax error")));
  EXPECT_THAT(MistakeOf("m.yaml", "about: x\n"), AllOf(HasSubstr("/m.yaml"), HasSubstr("title: required")));
  EXPECT_THAT(MistakeOf("m.yaml", "titel: .a\n"), HasSubstr("/m.yaml:1:1: titel: unknown key"));
  EXPECT_THAT(MistakeOf("m.yaml", "title: .a\nlabels:\n  x: .b\n  y: nosuch\n"),
              AllOf(HasSubstr("/m.yaml:4:"), HasSubstr("labels.y: nosuch/0 is not defined")));
  EXPECT_THAT(MistakeOf("m.yaml", "title: .a\nseverities: {x: purple}\n"), HasSubstr("expected critical"));
}

TEST_F(AlertIntakeTest, CloudEventsInBinaryMode) {
  const std::map<std::string, std::string> headers = {{"ce-specversion", "1.0"},   {"ce-type", "com.shop.failed"},
                                                      {"ce-source", "/shop"},      {"ce-id", "A1"},
                                                      {"ce-subject", "caf%C3%A9"}, {"ce-time", "2025-09-04T07:14:00Z"}};
  auto with = [&](const std::string& type) {
    auto all = headers;
    all["content-type"] = type;
    return all;
  };
  const auto json = Read("", R"({"severity": "critical", "message": "m"})", with("application/json; charset=utf-8"));
  ASSERT_TRUE(json.ok()) << json.status();
  EXPECT_EQ(json->format, "cloudevents");
  EXPECT_EQ(json->alerts[0].severity(), v1::SEVERITY_CRITICAL);
  EXPECT_EQ(json->alerts[0].subject(), "café");
  EXPECT_EQ(json->alerts[0].fingerprint(), "cloudevents:/shop:A1");
  EXPECT_EQ(Read("cloudevents", "{not json", with("text/plain"))->alerts[0].description(), "{not json");
  EXPECT_TRUE(Read("cloudevents", "\xff\xfe", with("application/octet-stream")).ok());
  EXPECT_TRUE(Read("cloudevents", "", headers).ok());
  EXPECT_EQ(Read("", "{oops", with("application/json")).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Read("generic", R"({"title": "t"})", headers)->format, "generic") << "a named format is taken as named";
}

TEST_F(AlertIntakeTest, AFullQueueRefusesAtOnce) {
  options_.filters.threads = 1;
  options_.filters.max_waiting = 1;
  options_.filter_timeout = absl::Seconds(1);
  UseFormat("hang.jq", "def recognize: false;\ndef alerts: def f: f; f;\n");
  std::atomic<int> answered = 0;
  std::vector<absl::StatusCode> codes(4);
  for (size_t i = 0; i < codes.size(); ++i) {
    intake().Read({"hang", {}, "{}", kReceivedAt}, [&, i](absl::StatusOr<ParsedAlerts> parsed) {
      codes[i] = parsed.status().code();
      ++answered;
    });
  }
  EXPECT_GE(answered, 1) << "what does not fit is answered before the rest is done";
  intake_.reset();
  EXPECT_EQ(answered, 4) << "and all are answered in the end";
  EXPECT_EQ(codes.back(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(codes.front(), absl::StatusCode::kOk);
}

TEST_F(AlertIntakeTest, AMissingFilterProgramIsSaidAtTheStart) {
  options_.filters.executable = "/nonexistent/omnix-alert-filter";
  EXPECT_THAT(Message(AlertIntake::Create(options_).status()), HasSubstr("/nonexistent/omnix-alert-filter"));
}

}  // namespace
}  // namespace omnix
