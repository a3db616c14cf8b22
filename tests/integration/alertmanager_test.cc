// The real Prometheus and Alertmanager in front of the real omnixd: a rule fires because a target is broken, the alert
// arrives by webhook or is fetched, and ends when the target is repaired.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/monitoring.h"
#include "tests/support/stack.h"
#include "tests/support/world.h"

namespace omnix {
namespace {

using testing::DocumentedAlertmanagerConfig;
using ::testing::HasSubstr;
using testing::kTargetAlert;
using testing::Monitoring;
using testing::RunToEnd;
using testing::Spill;
using testing::Stack;
using testing::StackOptions;
using testing::TemporaryFolder;
using testing::WaitUntil;

constexpr absl::Duration kDeadline = absl::Seconds(60);
constexpr char kToken[] = "0123456789abcdef0123456789abcdef";
// Nobody is told of anything.
constexpr char kMuteAlertmanager[] = "receivers: [{name: nobody}]\nroute: {receiver: nobody}\n";

class RealMonitors : public ::testing::Test {
 protected:
  RealMonitors() : monitoring_(folder_.path()) {
    options_.system_file = testing::SourceFolder() + "/deploy/examples/system.yaml";
    options_.token = kToken;
  }
  void StartOmnixd() {
    stack_ = std::make_unique<Stack>(folder_.path(), options_);
    stack_->StartOrchestrator();
  }
  void StartMonitors(const std::string& alertmanager_config) {
    monitoring_.StartAlertmanager(alertmanager_config);
    monitoring_.StartPrometheus();
  }
  std::string PushConfig() const { return DocumentedAlertmanagerConfig(stack_->http_port(), folder_ / "token"); }
  // omnixd asks Alertmanager and Prometheus.
  void PollBoth() {
    Spill(folder_ / "polls.yaml", fmt::format(R"(polls:
  - {{name: am, kind: alertmanager, url: "{}", interval: 1s, settle: 0s}}
  - {{name: prom, kind: prometheus, url: "{}", interval: 1s, settle: 0s}}
)",
                                              monitoring_.alertmanager_url(), monitoring_.prometheus_url()));
    options_.arguments = {"--poll", folder_ / "polls.yaml"};
  }
  std::vector<v1::ListedAlert> Alerts() {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
    v1::ListAlertsResponse response;
    stack_->api().ListAlerts(&context, {}, &response).ok();
    return {response.alerts().begin(), response.alerts().end()};
  }
  v1::GetStatusResponse Status() {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
    v1::GetStatusResponse response;
    stack_->api().GetStatus(&context, {}, &response).ok();
    return response;
  }
  // There is one alert, and it is as expected; gives it.
  v1::ListedAlert AwaitAlert(v1::AlertStatus status) {
    std::vector<v1::ListedAlert> alerts;
    const bool found = WaitUntil(
        [&] {
          alerts = Alerts();
          return !alerts.empty() && alerts[0].alert().status() == status;
        },
        kDeadline);
    EXPECT_TRUE(found) << stack_->Logs() << monitoring_.Logs();
    EXPECT_EQ(alerts.size(), 1u);
    return alerts.empty() ? v1::ListedAlert() : alerts[0];
  }

  TemporaryFolder folder_;
  Monitoring monitoring_;
  StackOptions options_;
  std::unique_ptr<Stack> stack_;
};

TEST_F(RealMonitors, ARuleFiresAndItsIncidentOpensTheTargetIsRepairedAndTheAlertEnds) {
  StartOmnixd();
  StartMonitors(PushConfig());
  monitoring_.BreakTarget();
  const v1::ListedAlert fired = AwaitAlert(v1::ALERT_STATUS_FIRING);
  EXPECT_EQ(fired.alert().title(), kTargetAlert);
  EXPECT_EQ(fired.alert().subject(), testing::kTargetService);
  EXPECT_EQ(fired.alert().severity(), v1::SEVERITY_CRITICAL);
  EXPECT_EQ(fired.alert().description(), "No answer of checkout");
  EXPECT_THAT(fired.alert().links(), ::testing::Contains("https://wiki.shop.example/checkout"));
  const v1::Incident incident = stack_->Get(fired.incident_id()).incident();
  EXPECT_EQ(incident.title(), kTargetAlert);
  EXPECT_EQ(incident.severity(), v1::SEVERITY_CRITICAL);

  monitoring_.RepairTarget();
  const v1::ListedAlert ended = AwaitAlert(v1::ALERT_STATUS_RESOLVED);
  EXPECT_EQ(ended.incident_id(), fired.incident_id());
  EXPECT_EQ(ended.alert().fingerprint(), fired.alert().fingerprint());
  EXPECT_TRUE(ended.alert().has_ends_at());
  const auto shown =
      RunToEnd({testing::BinFolder() + "/omnix", "--orchestrator", stack_->grpc_address(), "alert", "list"});
  EXPECT_THAT(shown.out, HasSubstr("resolved"));
}

// Alertmanager has nowhere to send to, and goes on trying.
TEST_F(RealMonitors, WhatIsSentWhileOmnixdIsDownIsNotLost) {
  StartOmnixd();
  StartMonitors(PushConfig());
  stack_->program("omnixd").Kill();
  monitoring_.BreakTarget();
  ASSERT_TRUE(WaitUntil(
      [&] { return monitoring_.AlertmanagerMetric("alertmanager_notification_requests_failed_total", "webhook") >= 1; },
      kDeadline))
      << monitoring_.Logs();
  stack_->StartOrchestrator();
  const v1::ListedAlert fired = AwaitAlert(v1::ALERT_STATUS_FIRING);
  EXPECT_FALSE(stack_->Get(fired.incident_id()).incident().id().empty());
  stack_->program("omnixd").Kill();
  monitoring_.RepairTarget();
  stack_->StartOrchestrator();
  AwaitAlert(v1::ALERT_STATUS_RESOLVED);
}

TEST_F(RealMonitors, AlertsAreFetchedWhereTheyCannotBeSent) {
  PollBoth();
  StartMonitors(kMuteAlertmanager);
  StartOmnixd();
  monitoring_.BreakTarget();
  const v1::ListedAlert fired = AwaitAlert(v1::ALERT_STATUS_FIRING);
  EXPECT_EQ(fired.alert().title(), kTargetAlert);
  EXPECT_EQ(fired.alert().subject(), testing::kTargetService);
  // Both know it by the same fingerprint.
  EXPECT_TRUE(WaitUntil([&] {
    const auto status = Status();
    return status.polls_size() == 2 && status.polls(0).firing() == 1 && status.polls(1).firing() == 1;
  })) << Status().DebugString();
  // It ends where it has gone, also where omnixd did not see it go.
  stack_->program("omnixd").Kill();
  monitoring_.RepairTarget();
  stack_->StartOrchestrator();
  EXPECT_EQ(AwaitAlert(v1::ALERT_STATUS_RESOLVED).incident_id(), fired.incident_id());

  monitoring_.StopPrometheus();
  EXPECT_TRUE(WaitUntil([&] { return Status().polls_size() == 2 && Status().polls(1).failures() > 0; }, kDeadline));
  const auto shown = RunToEnd({testing::BinFolder() + "/omnix", "--orchestrator", stack_->grpc_address(), "status"});
  EXPECT_THAT(shown.out, HasSubstr("connection refused"));
  EXPECT_THAT(testing::Slurp(folder_ / "log/omnixd"), HasSubstr("poll prom: "));
}

TEST_F(RealMonitors, AnAlertThatIsSentAndFetchedIsOne) {
  PollBoth();
  StartOmnixd();
  StartMonitors(PushConfig());
  monitoring_.BreakTarget();
  const std::string incident = AwaitAlert(v1::ALERT_STATUS_FIRING).incident_id();
  // By all three ways.
  EXPECT_TRUE(WaitUntil(
      [&] {
        return Status().polls_size() == 2 && Status().polls(0).firing() == 1 && Status().polls(1).firing() == 1 &&
               monitoring_.AlertmanagerMetric("alertmanager_notification_requests_total", "webhook") >= 1;
      },
      kDeadline));
  EXPECT_EQ(AwaitAlert(v1::ALERT_STATUS_FIRING).incident_id(), incident);
  EXPECT_EQ(Status().open_incidents(), 1u);
  monitoring_.RepairTarget();
  EXPECT_EQ(AwaitAlert(v1::ALERT_STATUS_RESOLVED).incident_id(), incident);
}

}  // namespace
}  // namespace omnix
