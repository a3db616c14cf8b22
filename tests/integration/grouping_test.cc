// Alerts come together in incidents, in the real omnixd: by dependencies, by rules, late ones, and across kill -9.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "common/http_client.h"
#include "common/json.h"
#include "tests/support/stack.h"
#include "tests/support/world.h"

namespace omnix {
namespace {

using ::testing::HasSubstr;
using testing::Stack;
using testing::TemporaryFolder;

constexpr char kSystem[] = R"(name: shop
services:
  - name: db
  - name: mail
  - {name: s1, depends_on: [db]}
  - {name: s2, depends_on: [db]}
  - {name: s3, depends_on: [db]}
  - {name: s4, depends_on: [db]}
  - {name: s5, depends_on: [db, mail]}
)";

constexpr char kGrouping[] = R"(rules:
  - name: disks
    match: {labels: {alertname: "Disk*"}}
    by: labels
    labels: [cluster]
)";

class Grouping : public ::testing::Test {
 protected:
  Grouping() : stack_(folder_.path(), Options(folder_)) { stack_.StartOrchestrator(); }

  static testing::StackOptions Options(const TemporaryFolder& folder) {
    std::ofstream(folder / "system.yaml") << kSystem;
    std::ofstream(folder / "grouping.yaml") << kGrouping;
    testing::StackOptions options;
    options.system_file = folder / "system.yaml";
    options.arguments = {"--grouping", folder / "grouping.yaml"};
    return options;
  }

  // The incident that has it.
  std::string Fires(const std::string& subject, const std::string& fingerprint, const Json& labels = Json::object()) {
    HttpRequest request;
    request.method = "POST";
    request.url = fmt::format("http://127.0.0.1:{}/v1/alerts/omnix", stack_.http_port());
    request.headers = {{"Content-Type", "application/json"}};
    request.body = Json({{"title", subject + " fails"},
                         {"severity", "error"},
                         {"subject", subject},
                         {"labels", labels},
                         {"fingerprint", fingerprint}})
                       .dump();
    const auto response = SendHttp(request);
    EXPECT_TRUE(response.ok()) << response.status();
    if (!response.ok()) return "";
    EXPECT_EQ(200, response->status) << response->body;
    for (const auto& item : Listed()) {
      if (item.alert().fingerprint().ends_with(fingerprint)) return item.incident_id();
    }
    ADD_FAILURE() << "no alert " << fingerprint;
    return "";
  }

  // Newest first.
  std::vector<v1::ListedAlert> Listed() {
    v1::ListAlertsResponse response;
    // After a restart the channel has to find out first that its connection is gone.
    EXPECT_TRUE(testing::WaitUntil([&] {
      grpc::ClientContext context;
      return stack_.api().ListAlerts(&context, {}, &response).ok();
    }));
    return {response.alerts().begin(), response.alerts().end()};
  }

  std::string LastNote(const std::string& incident_id) {
    const v1::Incident incident = stack_.Get(incident_id).incident();
    return incident.notes().empty() ? "" : incident.notes().rbegin()->text();
  }

  TemporaryFolder folder_;
  Stack stack_;
};

TEST_F(Grouping, ADatabaseAndTheFiveServicesThatNeedItAreOneIncident) {
  const std::string id = Fires("s1", "f-s1");
  for (const char* name : {"s2", "s3"}) EXPECT_EQ(id, Fires(name, std::string("f-") + name));
  v1::Incident incident = stack_.Get(id).incident();
  ASSERT_GT(incident.suspects_size(), 0);
  EXPECT_EQ(incident.suspects(0).service(), "db");
  EXPECT_THAT(incident.suspects(0).reason(), HasSubstr("does not alert itself; 3 of the 3"));
  stack_.KillAndRestart("omnixd");
  for (const char* name : {"db", "s4", "s5"}) EXPECT_EQ(id, Fires(name, std::string("f-") + name));
  incident = stack_.Get(id).incident();
  EXPECT_EQ(incident.suspects(0).service(), "db");
  EXPECT_EQ(incident.suspects(0).reason(), "alerts itself; 5 of the 6 services that alert need it: s1, s2, s3, s4, s5");
  EXPECT_NE(id, Fires("mail", "f-mail")) << "an independent failure, although s5 needs both";
  EXPECT_EQ(6, stack_.Get(id).incident().alerts_size());
}

TEST_F(Grouping, ByTheLabelsOfARule) {
  const std::string eu = Fires("host-1", "f-1", {{"alertname", "DiskFull"}, {"cluster", "eu"}});
  EXPECT_EQ(eu, Fires("host-2", "f-2", {{"alertname", "DiskSlow"}, {"cluster", "eu"}}));
  EXPECT_NE(eu, Fires("host-3", "f-3", {{"alertname", "DiskFull"}, {"cluster", "us"}}));
  EXPECT_NE(eu, Fires("host-1", "f-4", {{"alertname", "Load"}, {"cluster", "eu"}}));
}

TEST_F(Grouping, ALateAlertOpensAnIncidentThatNamesTheEndedOne) {
  const std::string ended = Fires("mail", "f-late");
  v1::CommandIncidentRequest cancel;
  cancel.set_incident_id(ended);
  cancel.mutable_cancel();
  ASSERT_TRUE(stack_.Command(cancel).ok());
  stack_.KillAndRestart("omnixd");
  Fires("mail", "f-late");
  const std::string next = Listed().front().incident_id();
  EXPECT_NE(ended, next);
  EXPECT_THAT(LastNote(next), HasSubstr("An alert of " + ended));
  EXPECT_THAT(LastNote(ended), HasSubstr("fires again, in " + next));
  EXPECT_EQ(v1::PHASE_CANCELLED, stack_.Get(ended).incident().phase());
}

}  // namespace
}  // namespace omnix
