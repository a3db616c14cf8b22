// What Prometheus reads at /metrics.
#pragma once

#include <omnix/v1/operator.pb.h>

#include <memory>
#include <string>

namespace omnix {

// Thread-safe.
class Metrics {
 public:
  Metrics();
  ~Metrics();

  // omnix_http_requests_total{route, status}. `route` is a pattern of the routing table: the number of series stays
  // bounded.
  void CountRequest(const std::string& route, unsigned status);
  // omnix_alerts_accepted_total{format}: durable ones; omnix_alerts_silenced_total{format}: those of them that a
  // silence held back.
  void CountAlerts(const std::string& format, size_t alerts, size_t silenced);

  // All series in Prometheus's text format 0.0.4, with omnix_open_incidents, omnix_connected_agents,
  // omnix_journal_ok, omnix_active_silences and omnix_held_alerts of `status`, and of each of its polls
  // omnix_poll_failures, omnix_poll_last_success_timestamp_seconds and omnix_poll_firing_alerts.
  std::string Text(const v1::GetStatusResponse& status);

 private:
  struct Series;
  std::unique_ptr<Series> series_;
};

}  // namespace omnix
