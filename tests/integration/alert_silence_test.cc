// Silences by the real omnixd: HTTP, gRPC and the command line, over a kill.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/http_client.h"
#include "common/json.h"
#include "common/time.h"
#include "tests/support/stack.h"
#include "tests/support/world.h"

namespace omnix {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::RunToEnd;
using testing::Stack;
using testing::StackOptions;
using testing::TemporaryFolder;
using testing::WaitUntil;

class AlertSilences : public ::testing::Test {
 protected:
  AlertSilences() {
    StackOptions options;
    options.system_file = testing::SourceFolder() + "/deploy/examples/system.yaml";
    stack_ = std::make_unique<Stack>(folder_.path(), options);
    stack_->StartOrchestrator();
  }
  Json Http(const std::string& method, const std::string& path, const std::string& body = "") {
    HttpRequest request;
    request.method = method;
    request.url = fmt::format("http://127.0.0.1:{}{}", stack_->http_port(), path);
    if (!body.empty()) request.headers = {{"Content-Type", "application/json"}};
    request.body = body;
    const auto response = SendHttp(request);
    EXPECT_TRUE(response.ok()) << response.status();
    if (!response.ok()) return nullptr;
    const auto json = ParseJson(response->body);
    return json.ok() ? *json : Json(response->body);
  }
  Json Send(const std::string& fingerprint, const std::string& status = "firing") {
    const Json body = {{"version", "4"},
                       {"status", status},
                       {"alerts",
                        {{{"status", status},
                          {"labels", {{"alertname", "Down"}, {"service", "checkout"}}},
                          {"startsAt", "2025-09-04T07:14:03Z"},
                          {"fingerprint", fingerprint}}}}};
    return Http("POST", "/v1/alerts/alertmanager", DumpJson(body))["alerts"][0];
  }
  std::string Cli(std::vector<std::string> words) {
    std::vector<std::string> argv = {testing::BinFolder() + "/omnix", "--orchestrator", stack_->grpc_address(), "--by",
                                     "ada"};
    argv.insert(argv.end(), words.begin(), words.end());
    const auto finished = RunToEnd(argv);
    EXPECT_EQ(finished.exit_code, 0) << finished.out;
    return finished.out;
  }
  Json FiringAlerts() { return Http("GET", "/v1/alerts?firing_only=true").value("alerts", Json::array()); }

  TemporaryFolder folder_;
  std::unique_ptr<Stack> stack_;
};

TEST_F(AlertSilences, WhatIsSuppressedIsCountedKeptOverAKillAndTakenUpWhenTheSilenceIsExpired) {
  EXPECT_THAT(Cli({"silence", "add", "alertname=Down", "--for", "1h", "--comment", "deploy"}),
              HasSubstr("SIL-1 is active"));
  const Json held = Send("held");
  EXPECT_EQ(held.value("silenced_by", ""), "SIL-1") << held;
  EXPECT_EQ(held.value("incident_id", "x"), "");
  EXPECT_TRUE(Send("held").value("duplicate", false));
  Send("ended");
  EXPECT_THAT(Cli({"status"}), HasSubstr("1 in force, 3 alerts suppressed by them, 2 held back"));
  for (const Json& status : {Http("GET", "/v1/status"), Json::parse(Cli({"status", "-o", "json"}))})
    EXPECT_EQ(status["silences"], Json({{"count", 1}, {"suppressed", "3"}, {"held", "2"}})) << status;
  EXPECT_THAT(Http("GET", "/metrics").get<std::string>(),
              AllOf(HasSubstr(R"(omnix_alerts_silenced_total{format="alertmanager"} 3)"),
                    HasSubstr("omnix_active_silences 1\n"), HasSubstr("omnix_held_alerts 2\n")));
  stack_->KillAndRestart("omnixd");
  Send("ended", "resolved");
  const Json shown = Http("GET", "/v1/silences/SIL-1");
  EXPECT_EQ(shown["held"], "1") << shown;
  EXPECT_EQ(shown["silence"]["author"], "ada");
  EXPECT_EQ(shown["held_alerts"][0]["fingerprint"], "held");
  EXPECT_THAT(Cli({"silence", "list"}), HasSubstr("alertname=Down"));
  EXPECT_THAT(FiringAlerts(), ::testing::SizeIs(0));

  Cli({"silence", "expire", "SIL-1"});
  ASSERT_TRUE(WaitUntil([&] { return FiringAlerts().size() == 1; })) << stack_->Logs();
  EXPECT_EQ(FiringAlerts()[0]["alert"]["fingerprint"], "held");
  EXPECT_EQ(Http("GET", "/v1/incidents")["incidents"].size(), 1u);
  ASSERT_TRUE(WaitUntil([&] { return !Http("GET", "/v1/silences/SIL-1").contains("held"); }));
  EXPECT_EQ(Http("GET", "/v1/silences/SIL-1")["silence"]["expired_by"], "ada");
}

TEST_F(AlertSilences, AnIncidentThatIsOpenHearsOfItsAlertsEndAlsoUnderASilence) {
  const std::string incident = Send("before").value("incident_id", "");
  ASSERT_FALSE(incident.empty());
  const Json added = Http("POST", "/v1/silences",
                          R"({"author":"ada","matchers":[{"label":"alertname","value":"Down"}],)"
                          R"("ends_at":"2125-01-01T00:00:00Z"})");
  EXPECT_THAT(DumpJson(added), HasSubstr("366 days"));
  Cli({"silence", "add", "service=checkout", "--for", "2d"});
  const Json silence = Http("GET", "/v1/silences/SIL-1")["silence"];
  const absl::Duration span = *ParseTime(silence["ends_at"]) - *ParseTime(silence["starts_at"]);
  EXPECT_NEAR(absl::ToDoubleHours(span), 48, 1);
  EXPECT_EQ(Send("before").value("silenced_by", ""), "SIL-1");
  EXPECT_EQ(FiringAlerts().size(), 1u);
  EXPECT_EQ(Send("before", "resolved").value("incident_id", ""), incident);
  EXPECT_EQ(FiringAlerts().size(), 0u);
}

TEST_F(AlertSilences, ASilenceEndsByItself) {
  EXPECT_THAT(Cli({"silence", "add", "alertname=~D.*", "--for", "3s", "-o", "json"}), HasSubstr("SIL-1"));
  EXPECT_EQ(Send("held").value("silenced_by", ""), "SIL-1");
  ASSERT_TRUE(WaitUntil([&] { return FiringAlerts().size() == 1; })) << stack_->Logs();
  EXPECT_THAT(Cli({"silence", "list", "--all"}), HasSubstr("ended"));
}

}  // namespace
}  // namespace omnix
