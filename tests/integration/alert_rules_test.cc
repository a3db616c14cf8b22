// Rules about alerts that come again, and alerts that people move, by the real omnixd and across kill -9.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/http_client.h"
#include "common/json.h"
#include "tests/support/stack.h"
#include "tests/support/world.h"

namespace omnix {
namespace {

using ::testing::HasSubstr;
using testing::Spill;
using testing::Stack;
using testing::TemporaryFolder;
using testing::WaitUntil;

constexpr char kGrouping[] = R"(rules:
  - name: noisy disks
    match: {labels: {kind: disk}}
    by: subject
    occurrences: {count: 3, within: 1h}
  - name: each alone
    by: none
    flapping: {changes: 2, within: 1h, quiet: 2s}
)";

class AlertRules : public ::testing::Test {
 protected:
  AlertRules() : stack_(folder_.path(), Options(folder_)) { stack_.StartOrchestrator(); }

  static testing::StackOptions Options(const TemporaryFolder& folder) {
    Spill(folder / "grouping.yaml", kGrouping);
    testing::StackOptions options;
    options.system_file = testing::SourceFolder() + "/deploy/examples/system.yaml";
    options.arguments = {"--grouping", folder / "grouping.yaml"};
    return options;
  }

  // The JSON of the answer; null where there is none.
  Json Send(const std::string& method, const std::string& path, const Json& body, int expected = 200) {
    HttpRequest request;
    request.method = method;
    request.url = fmt::format("http://127.0.0.1:{}{}", stack_.http_port(), path);
    request.headers = {{"Content-Type", "application/json"}};
    if (!body.is_null()) request.body = body.dump();
    const auto response = SendHttp(request);
    EXPECT_TRUE(response.ok()) << response.status();
    if (!response.ok()) return nullptr;
    EXPECT_EQ(expected, response->status) << response->body;
    return ParseJson(response->body).value_or(nullptr);
  }

  // What the answer says of it.
  Json Alert(const std::string& fingerprint, const std::string& status, const Json& labels = Json::object(),
             const std::string& starts_at = "2026-01-01T00:00:00Z") {
    const Json answer = Send("POST", "/v1/alerts/omnix",
                             {{"title", fingerprint + " fails"},
                              {"severity", "error"},
                              {"subject", "web1"},
                              {"status", status},
                              {"labels", labels},
                              {"starts_at", starts_at},
                              {"fingerprint", fingerprint}});
    return answer.is_null() ? Json() : answer["alerts"][0];
  }

  std::string Open(const std::string& fingerprint) { return Alert(fingerprint, "firing").value("incident_id", ""); }

  v1::Incident Get(const std::string& incident_id) { return stack_.Get(incident_id).incident(); }

  TemporaryFolder folder_;
  Stack stack_;
};

TEST_F(AlertRules, WaitForTheirOccurrencesAlsoAcrossAKill) {
  const Json disk = {{"kind", "disk"}};
  EXPECT_EQ(Alert("d1", "firing", disk, "2026-01-01T00:00:00Z").value("pending", false), true);
  EXPECT_EQ(Alert("d1", "firing", disk, "2026-01-01T00:00:00Z").value("pending", false), true) << "sent again";
  EXPECT_EQ(Alert("d2", "firing", disk, "2026-01-01T00:01:00Z").value("pending", false), true);
  stack_.KillAndRestart("omnixd");
  ASSERT_TRUE(WaitUntil([&] { return !Send("GET", "/v1/alerts?pending_only=true", nullptr).is_null(); }));
  const Json listed = Send("GET", "/v1/alerts?pending_only=true", nullptr);
  ASSERT_EQ(listed["alerts"].size(), 2u) << listed;
  EXPECT_THAT(listed["alerts"][0].value("waiting_for", ""), HasSubstr("2 of 3 occurrences"));
  const Json third = Alert("d1", "firing", disk, "2026-01-01T00:02:00Z");
  EXPECT_EQ(third.value("opened", false), true) << third;
  EXPECT_EQ(Get(third["incident_id"]).alert_counts().firing(), 2u);
  EXPECT_TRUE(Send("GET", "/v1/alerts?pending_only=true", nullptr).value("alerts", Json::array()).empty());
}

TEST_F(AlertRules, AFlappingAlertIsShownAndSettlesAfterAKill) {
  const std::string id = Open("f1");
  for (const char* status : {"resolved", "firing", "resolved"}) Alert("f1", status);
  v1::Incident incident = Get(id);
  ASSERT_EQ(incident.flapping_size(), 1);
  EXPECT_EQ(incident.alert_counts().firing(), 1u);
  stack_.KillAndRestart("omnixd");
  EXPECT_TRUE(WaitUntil([&] {
    incident = Get(id);
    return !incident.id().empty() && incident.flapping().empty();
  }));
  EXPECT_EQ(incident.alert_counts().resolved(), 1u);
}

TEST_F(AlertRules, AMergeAndASplitByHand) {
  const std::string from = Open("f1");
  const std::string into = Open("f2");
  ASSERT_NE(from, into);
  Json answer = Send("POST", "/v1/incidents/" + from + "/merge", {{"into", into}, {"by", "alice"}, {"reason", "same"}});
  EXPECT_EQ(answer.value("other_incident_id", ""), into);
  EXPECT_EQ(Get(from).phase(), v1::PHASE_CANCELLED);
  EXPECT_EQ(Get(into).alert_counts().total(), 2u);
  stack_.KillAndRestart("omnixd");
  ASSERT_TRUE(WaitUntil([&] { return Get(into).alert_counts().total() == 2u; }));
  EXPECT_EQ(Alert("f1", "resolved").value("incident_id", ""), into) << "its end is the other incident's";
  Alert("f1", "firing");
  answer = Send("POST", "/v1/incidents/" + into + "/split", {{"fingerprints", {"f1"}}, {"by", "alice"}});
  const std::string other = answer.value("other_incident_id", "");
  EXPECT_EQ(Get(other).alerts(0).fingerprint(), "f1");
  EXPECT_EQ(Get(into).alert_counts().total(), 1u);
  EXPECT_EQ(Alert("f1", "resolved").value("incident_id", ""), other);
  bool told = false;
  for (const auto& event : stack_.Events(into)) {
    told |= event.text() == from + " merged into this incident by operator:alice: same";
  }
  EXPECT_TRUE(told);
  answer = Send("POST", "/v1/incidents/" + from + "/merge", {{"into", into}}, 409);
  EXPECT_THAT(answer.dump(), HasSubstr("a merge means nothing any more"));
  answer = Send("POST", "/v1/incidents/" + into + "/split", {{"fingerprints", {"f2"}}}, 409);
  EXPECT_THAT(answer.dump(), HasSubstr("at least one must stay"));
  Send("POST", "/v1/incidents/" + into + "/split", Json::object(), 422);
}

}  // namespace
}  // namespace omnix
