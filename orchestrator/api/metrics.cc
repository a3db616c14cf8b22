#include "orchestrator/api/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace omnix {

struct Metrics::Series {
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& requests = prometheus::BuildCounter()
                                                          .Name("omnix_http_requests_total")
                                                          .Help("HTTP requests answered, by route and status")
                                                          .Register(registry);
  prometheus::Family<prometheus::Counter>& alerts = prometheus::BuildCounter()
                                                        .Name("omnix_alerts_accepted_total")
                                                        .Help("Alerts that were made durable, by format")
                                                        .Register(registry);
  prometheus::Family<prometheus::Counter>& silenced = prometheus::BuildCounter()
                                                          .Name("omnix_alerts_silenced_total")
                                                          .Help("Accepted alerts that a silence held back, by format")
                                                          .Register(registry);
  prometheus::Gauge& silences = prometheus::BuildGauge()
                                    .Name("omnix_active_silences")
                                    .Help("Silences that are in force")
                                    .Register(registry)
                                    .Add({});
  prometheus::Gauge& held_alerts = prometheus::BuildGauge()
                                       .Name("omnix_held_alerts")
                                       .Help("Firing alerts that a silence holds back now")
                                       .Register(registry)
                                       .Add({});
  prometheus::Gauge& open_incidents = prometheus::BuildGauge()
                                          .Name("omnix_open_incidents")
                                          .Help("Incidents that are neither resolved nor cancelled")
                                          .Register(registry)
                                          .Add({});
  prometheus::Gauge& connected_agents = prometheus::BuildGauge()
                                            .Name("omnix_connected_agents")
                                            .Help("Agents with an open link")
                                            .Register(registry)
                                            .Add({});
  prometheus::Gauge& journal_ok = prometheus::BuildGauge()
                                      .Name("omnix_journal_ok")
                                      .Help("1 while the journal takes what comes, else 0")
                                      .Register(registry)
                                      .Add({});
  prometheus::Family<prometheus::Gauge>& poll_failures =
      prometheus::BuildGauge()
          .Name("omnix_poll_failures")
          .Help("Polls of a monitor that failed since the last that did not, by poll")
          .Register(registry);
  prometheus::Family<prometheus::Gauge>& poll_success = prometheus::BuildGauge()
                                                            .Name("omnix_poll_last_success_timestamp_seconds")
                                                            .Help("When a monitor last answered, by poll")
                                                            .Register(registry);
  prometheus::Family<prometheus::Gauge>& poll_firing = prometheus::BuildGauge()
                                                           .Name("omnix_poll_firing_alerts")
                                                           .Help("Alerts that fire in a polled monitor, by poll")
                                                           .Register(registry);
};

Metrics::Metrics() : series_(std::make_unique<Series>()) {}
Metrics::~Metrics() = default;

void Metrics::CountRequest(const std::string& route, unsigned status) {
  series_->requests.Add({{"route", route.empty() ? "none" : route}, {"status", std::to_string(status)}}).Increment();
}

void Metrics::CountAlerts(const std::string& format, size_t alerts, size_t silenced) {
  series_->alerts.Add({{"format", format}}).Increment(static_cast<double>(alerts));
  series_->silenced.Add({{"format", format}}).Increment(static_cast<double>(silenced));
}

std::string Metrics::Text(const v1::GetStatusResponse& status) {
  series_->open_incidents.Set(status.open_incidents());
  series_->connected_agents.Set(status.connected_agents());
  series_->journal_ok.Set(status.journal() == "ok" ? 1 : 0);
  series_->silences.Set(status.silences().count());
  series_->held_alerts.Set(static_cast<double>(status.silences().held()));
  for (const v1::PolledMonitor& poll : status.polls()) {
    const prometheus::Labels labels = {{"poll", poll.name()}};
    series_->poll_failures.Add(labels).Set(poll.failures());
    if (poll.has_last_success())
      series_->poll_success.Add(labels).Set(static_cast<double>(poll.last_success().seconds()));
    series_->poll_firing.Add(labels).Set(poll.firing());
  }
  return prometheus::TextSerializer().Serialize(series_->registry.Collect());
}

}  // namespace omnix
