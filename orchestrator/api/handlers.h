// The handlers of the HTTP API, by what they serve. Internal to the routing table.
#pragma once

#include <string>

#include "orchestrator/api/routes.h"

namespace omnix {

// POST /v1/alerts[/{format}]: answered with 2xx only once the journal has every alert. The format: the path's, else
// `format`, else recognized by the body's shape.
ApiHandler AlertsHandler(const ApiParts& parts, const std::string& format);

// POST /v1/heartbeats/{name}: a declared source shows that it lives; 404 names the declared ones.
ApiHandler HeartbeatHandler(const ApiParts& parts);

ApiHandler ListSilencesHandler(const ApiParts& parts);
ApiHandler AddSilenceHandler(const ApiParts& parts);
ApiHandler GetSilenceHandler(const ApiParts& parts);
ApiHandler ExpireSilenceHandler(const ApiParts& parts);

ApiHandler HealthHandler();
ApiHandler ReadyHandler(const ApiParts& parts);
ApiHandler MetricsHandler(const ApiParts& parts);

ApiHandler ListIncidentsHandler(const ApiParts& parts);
ApiHandler GetIncidentHandler(const ApiParts& parts);
ApiHandler ListEventsHandler(const ApiParts& parts);
ApiHandler ArtifactHandler(const ApiParts& parts);
ApiHandler OpenIncidentHandler(const ApiParts& parts);
// `command`: name of the field of CommandIncidentRequest. `required`: the field of the body that it needs; empty: none.
ApiHandler CommandHandler(const ApiParts& parts, const std::string& command, const std::string& required);
ApiHandler ListAgentsHandler(const ApiParts& parts);
ApiHandler DrainAgentHandler(const ApiParts& parts);
ApiHandler ListAlertsHandler(const ApiParts& parts);
ApiHandler StatusHandler(const ApiParts& parts);

// Server-sent events: `event: event|progress`, `id:` the sequence number, `data:` a WatchIncidentResponse as JSON; at
// the end `event: end` with {"status", "detail"}. With {id} in the pattern that incident, else all.
ApiHandler WatchHandler(const ApiParts& parts);

}  // namespace omnix
