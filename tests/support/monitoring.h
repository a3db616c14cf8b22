// Test support: the real Prometheus and Alertmanager, watching a target that the test breaks and repairs.
#pragma once

#include <atomic>
#include <string>

#include "common/scripted_server.h"
#include "tests/support/world.h"

namespace omnix::testing {

// The alert that fires while the target is broken.
inline constexpr char kTargetAlert[] = "CheckoutDown";
inline constexpr char kTargetService[] = "checkout";

class Monitoring {
 public:
  // Starts nothing. Files and logs go below `folder`.
  explicit Monitoring(std::string folder);

  // `alertmanager_config`: the whole file. Both fail the test where the program does not become ready.
  void StartAlertmanager(const std::string& alertmanager_config);
  // Scrapes and evaluates every second, and sends to the Alertmanager.
  void StartPrometheus();
  void StopPrometheus() { prometheus_.Kill(); }

  void BreakTarget() { well_ = false; }
  void RepairTarget() { well_ = true; }

  std::string alertmanager_url() const { return "http://127.0.0.1:" + std::to_string(alertmanager_port_); }
  std::string prometheus_url() const { return "http://127.0.0.1:" + std::to_string(prometheus_port_); }
  // The value of a metric of Alertmanager's own, summed over its labels that contain `labels`.
  double AlertmanagerMetric(const std::string& name, const std::string& labels) const;
  std::string Logs() const;

 private:
  void AwaitReady(const std::string& url, Program& program) const;

  const std::string folder_;
  const int alertmanager_port_;
  const int prometheus_port_;
  std::atomic<bool> well_ = true;
  ScriptedServer target_;
  Program alertmanager_;
  Program prometheus_;
};

// The block of docs/alerts.md that users paste into alertmanager.yml, with the port and the token file of this test,
// and told to wait for nothing.
std::string DocumentedAlertmanagerConfig(int omnixd_http_port, const std::string& token_file);

}  // namespace omnix::testing
