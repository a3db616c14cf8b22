#include "orchestrator/api/routes.h"

#include "orchestrator/api/handlers.h"

namespace omnix {

std::vector<Route> ApiRoutes(const ApiParts& parts) {
  constexpr size_t kSmall = kMaxCommandBodyBytes;
  std::vector<Route> routes = {
      {"GET", "/healthz", HealthHandler(), kSmall},
      {"GET", "/readyz", ReadyHandler(parts), kSmall},
      {"GET", "/metrics", MetricsHandler(parts), kSmall},
      {"POST", "/v1/alerts", AlertsHandler(parts, "")},
      {"POST", "/v1/alerts/{format}", AlertsHandler(parts, "")},
      // Where senders of PagerDuty's Events API post to.
      {"POST", "/v2/enqueue", AlertsHandler(parts, "pagerduty")},
      {"POST", "/v1/heartbeats/{name}", HeartbeatHandler(parts), kSmall},
      {"GET", "/v1/alerts", ListAlertsHandler(parts), kSmall},
      {"GET", "/v1/incidents", ListIncidentsHandler(parts), kSmall},
      {"POST", "/v1/incidents", OpenIncidentHandler(parts), kSmall},
      {"GET", "/v1/incidents/{id}", GetIncidentHandler(parts), kSmall},
      {"GET", "/v1/incidents/{id}/events", ListEventsHandler(parts), kSmall},
      {"GET", "/v1/incidents/{id}/watch", WatchHandler(parts), kSmall},
      {"GET", "/v1/incidents/{id}/artifacts/{name}", ArtifactHandler(parts), kSmall},
      {"POST", "/v1/incidents/{id}/approve", CommandHandler(parts, "approve", "plan_hash"), kSmall},
      {"POST", "/v1/incidents/{id}/reject", CommandHandler(parts, "reject", "plan_hash"), kSmall},
      {"POST", "/v1/incidents/{id}/choose", CommandHandler(parts, "choose", "explanation_id"), kSmall},
      {"POST", "/v1/incidents/{id}/pause", CommandHandler(parts, "pause", ""), kSmall},
      {"POST", "/v1/incidents/{id}/resume", CommandHandler(parts, "resume", ""), kSmall},
      {"POST", "/v1/incidents/{id}/cancel", CommandHandler(parts, "cancel", ""), kSmall},
      {"POST", "/v1/incidents/{id}/escalate", CommandHandler(parts, "escalate", ""), kSmall},
      {"POST", "/v1/incidents/{id}/note", CommandHandler(parts, "note", "text"), kSmall},
      {"POST", "/v1/incidents/{id}/rollback", CommandHandler(parts, "rollback", ""), kSmall},
      {"POST", "/v1/incidents/{id}/merge", CommandHandler(parts, "merge", "into"), kSmall},
      {"POST", "/v1/incidents/{id}/split", CommandHandler(parts, "split", "fingerprints"), kSmall},
      {"GET", "/v1/watch", WatchHandler(parts), kSmall},
      {"GET", "/v1/agents", ListAgentsHandler(parts), kSmall},
      {"POST", "/v1/agents/{name}/drain", DrainAgentHandler(parts), kSmall},
      {"GET", "/v1/status", StatusHandler(parts), kSmall},
  };
  if (parts.silences == nullptr) return routes;
  routes.push_back({"GET", "/v1/silences", ListSilencesHandler(parts), kSmall});
  routes.push_back({"POST", "/v1/silences", AddSilenceHandler(parts), kSmall});
  routes.push_back({"GET", "/v1/silences/{id}", GetSilenceHandler(parts), kSmall});
  routes.push_back({"POST", "/v1/silences/{id}/expire", ExpireSilenceHandler(parts), kSmall});
  return routes;
}

}  // namespace omnix
