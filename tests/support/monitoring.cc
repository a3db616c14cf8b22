#include "tests/support/monitoring.h"

#include <fmt/format.h>

#include <cstdlib>
#include <sstream>

#include "common/http_client.h"
#include "tests/support/stack.h"

namespace omnix::testing {
namespace {

constexpr char kRules[] = R"(groups:
  - name: shop
    rules:
      - alert: {}
        expr: checkout_up == 0
        labels: {{service: {}, severity: critical}}
        annotations: {{summary: "No answer of checkout", runbook_url: "https://wiki.shop.example/checkout"}}
)";

constexpr char kPrometheusConfig[] = R"(global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: [{}]
scrape_configs:
  - job_name: shop
    static_configs: [{{targets: ["{}"]}}]
alerting:
  alertmanagers:
    - static_configs: [{{targets: ["127.0.0.1:{}"]}}]
)";

std::string Metrics(bool well) {
  const std::string body = fmt::format("checkout_up {}\n", well ? 1 : 0);
  return fmt::format(
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
      body.size(), body);
}

std::string Get(const std::string& url) {
  HttpRequest request;
  request.url = url;
  const auto response = SendHttp(request);
  return response.ok() && response->status == 200 ? response->body : "";
}

void Replace(std::string& text, const std::string& what, const std::string& by) {
  const size_t at = text.find(what);
  ASSERT_NE(at, std::string::npos) << "docs/alerts.md has no longer: " << what;
  text.replace(at, what.size(), by);
}

}  // namespace

Monitoring::Monitoring(std::string folder)
    : folder_(std::move(folder)),
      alertmanager_port_(FreePort()),
      prometheus_port_(FreePort()),
      target_([this](const std::string&) { return Metrics(well_); }) {}

void Monitoring::StartAlertmanager(const std::string& alertmanager_config) {
  Spill(folder_ + "/alertmanager.yml", alertmanager_config);
  alertmanager_ =
      Program({"prometheus-alertmanager", "--config.file=" + folder_ + "/alertmanager.yml",
               "--storage.path=" + folder_ + "/alertmanager",
               "--cluster.listen-address=", fmt::format("--web.listen-address=127.0.0.1:{}", alertmanager_port_)},
              folder_ + "/alertmanager.log");
  AwaitReady(alertmanager_url(), alertmanager_);
}

void Monitoring::StartPrometheus() {
  Spill(folder_ + "/rules.yml", fmt::format(kRules, kTargetAlert, kTargetService));
  Spill(folder_ + "/prometheus.yml",
        fmt::format(kPrometheusConfig, folder_ + "/rules.yml", target_.Address(), alertmanager_port_));
  prometheus_ = Program(
      {"prometheus", "--config.file=" + folder_ + "/prometheus.yml", "--storage.tsdb.path=" + folder_ + "/prometheus",
       fmt::format("--web.listen-address=127.0.0.1:{}", prometheus_port_)},
      folder_ + "/prometheus.log");
  AwaitReady(prometheus_url(), prometheus_);
}

void Monitoring::AwaitReady(const std::string& url, Program& program) const {
  WaitUntil([&] { return !Get(url + "/-/ready").empty() || !program.IsRunning(); }, absl::Seconds(60));
  ASSERT_TRUE(program.IsRunning()) << Logs();
}

double Monitoring::AlertmanagerMetric(const std::string& name, const std::string& labels) const {
  std::istringstream lines(Get(alertmanager_url() + "/metrics"));
  double sum = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name + "{") && line.find(labels) != std::string::npos) {
      sum += std::atof(line.c_str() + line.rfind(' '));
    }
  }
  return sum;
}

std::string Monitoring::Logs() const {
  return "--- alertmanager\n" + Slurp(folder_ + "/alertmanager.log") + "--- prometheus\n" +
         Slurp(folder_ + "/prometheus.log");
}

std::string DocumentedAlertmanagerConfig(int omnixd_http_port, const std::string& token_file) {
  const std::string docs = Slurp(SourceFolder() + "/docs/alerts.md");
  const size_t begin = docs.find("receivers:\n");
  std::string block = docs.substr(begin, docs.find("```", begin) - begin);
  Replace(block, "127.0.0.1:7421", fmt::format("127.0.0.1:{}", omnixd_http_port));
  Replace(block, "/etc/alertmanager/omnix.token", token_file);
  Replace(block, "route:\n", "route:\n  group_wait: 100ms\n  group_interval: 1s\n  repeat_interval: 1h\n");
  return block;
}

}  // namespace omnix::testing
