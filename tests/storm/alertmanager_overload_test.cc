// A real Alertmanager has its alerts to tell while others flood omnixd: it is refused at times, and tells them again.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <thread>

#include "common/http_client.h"
#include "tests/storm/flood.h"
#include "tests/storm/server.h"
#include "tests/support/monitoring.h"
#include "tests/support/world.h"

namespace omnix::storm {
namespace {

constexpr int kAlerts = 300;
constexpr char kName[] = "ToldByAlertmanager";
constexpr absl::Duration kDeadline = absl::Seconds(90);

// A webhook of its own for each alert.
std::string Config(int omnixd_port) {
  return fmt::format(R"(receivers:
  - name: omnix
    webhook_configs: [{{url: "http://127.0.0.1:{}/v1/alerts/alertmanager"}}]
route: {{receiver: omnix, group_by: ["..."], group_wait: 1s, group_interval: 1s, repeat_interval: 1h}}
)",
                     omnixd_port);
}

absl::Status Raise(const std::string& alertmanager_url) {
  HttpRequest request;
  request.method = "POST";
  request.url = alertmanager_url + "/api/v2/alerts";
  request.headers = {{"Content-Type", "application/json"}};
  for (int i = 0; i < kAlerts; ++i) {
    request.body += fmt::format(R"({}{{"labels":{{"alertname":"{}","service":"{}","instance":"web{}"}}}})",
                                i == 0 ? "[" : ",", kName, kService, i);
  }
  request.body += "]";
  const auto response = SendHttp(request);
  if (!response.ok()) return response.status();
  return response->status == 200 ? absl::OkStatus() : absl::UnavailableError(response->body);
}

TEST(AlertmanagerInOverload, LosesNothing) {
  const testing::TemporaryFolder folder;
  Server server;
  testing::Monitoring monitoring(folder.path());
  monitoring.StartAlertmanager(Config(server.http_port()));
  FloodOptions options;
  options.port = server.http_port();
  options.alerts = 100'000'000;
  options.connections = 250;
  options.batch = 500;
  options.padding_bytes = 2'000;
  options.singles_percent = 0;
  options.different = 2000;
  options.pause_after_refusal = std::chrono::milliseconds(0);
  options.deadline = std::chrono::seconds(5);
  FloodResult flood;
  std::thread others([&] { flood = Flood(options, nullptr); });
  const absl::Status raised = Raise(monitoring.alertmanager_url());
  others.join();
  ASSERT_TRUE(raised.ok()) << raised << monitoring.Logs();
  EXPECT_GT(flood.refused, 0u);
  const std::string taken = fmt::format("SELECT count(DISTINCT fingerprint) FROM alerts WHERE title = '{}'", kName);
  EXPECT_TRUE(testing::WaitUntil([&] { return server.CountInJournal(taken) == kAlerts; }, kDeadline))
      << server.CountInJournal(taken) << " of " << kAlerts << " alerts\n"
      << monitoring.Logs();
  std::printf("Alertmanager in overload: %d alerts taken; %.0f of its requests were refused, %lu of the others' %lu\n",
              kAlerts, monitoring.AlertmanagerMetric("alertmanager_notification_requests_failed_total", "webhook"),
              flood.refused, flood.requests);
}

}  // namespace
}  // namespace omnix::storm
