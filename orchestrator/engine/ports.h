// How the rest of the orchestrator talks to the engine. The engine runs on a thread of its own: every call here only
// enqueues and returns at once; callbacks come on an engine thread and must not block. All of it is thread-safe.
#pragma once

#include <omnix/v1/agent_link.pb.h>
#include <omnix/v1/operator.pb.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "orchestrator/dispatch/agent_session.h"

namespace omnix {

template <typename T>
using Callback = std::function<void(absl::StatusOr<T>)>;

// What became of one alert.
struct IngestedAlert {
  std::string incident_id;
  // It opened the incident.
  bool opened = false;
  // Known already and unchanged: counted.
  bool duplicate = false;
  // No incident has it yet: its rule waits for more occurrences.
  bool pending = false;
};

// Receives a watched incident's updates. OnUpdate is called in order, on an engine thread, and must not block;
// returning false ends the watch (a reader that is too slow). OnEnd is called once when the watched incident has ended
// or the orchestrator stops.
class WatchSink {
 public:
  virtual ~WatchSink() = default;
  virtual bool OnUpdate(const v1::WatchIncidentResponse& update) = 0;
  virtual void OnEnd(const absl::Status& status) = 0;
};

// What operators and monitors ask. A callback of a changing call comes only after the change is durable.
// Errors: as operator.proto says; RESOURCE_EXHAUSTED where the engine's queue is full.
class OperatorPort {
 public:
  virtual ~OperatorPort() = default;

  // One result per alert, in order. All alerts are kept, or (on error) none.
  virtual void IngestAlerts(std::vector<v1::Alert> alerts, Callback<std::vector<IngestedAlert>> done) = 0;

  virtual void OpenIncident(v1::OpenIncidentRequest request, Callback<v1::OpenIncidentResponse> done) = 0;
  virtual void CommandIncident(v1::CommandIncidentRequest request, Callback<v1::CommandIncidentResponse> done) = 0;
  virtual void GetIncident(v1::GetIncidentRequest request, Callback<v1::GetIncidentResponse> done) = 0;
  virtual void ListIncidents(v1::ListIncidentsRequest request, Callback<v1::ListIncidentsResponse> done) = 0;
  virtual void ListEvents(v1::ListEventsRequest request, Callback<v1::ListEventsResponse> done) = 0;
  virtual void ListAgents(v1::ListAgentsRequest request, Callback<v1::ListAgentsResponse> done) = 0;
  virtual void DrainAgent(v1::DrainAgentRequest request, Callback<v1::DrainAgentResponse> done) = 0;
  virtual void ListAlerts(v1::ListAlertsRequest request, Callback<v1::ListAlertsResponse> done) = 0;
  virtual void GetStatus(v1::GetStatusRequest request, Callback<v1::GetStatusResponse> done) = 0;

  // Errors of a watch (unknown incident) come through OnEnd.
  virtual void Watch(v1::WatchIncidentRequest request, std::shared_ptr<WatchSink> sink) = 0;
  // The sink gets nothing more after this returned, except a call that is under way.
  virtual void Unwatch(const std::shared_ptr<WatchSink>& sink) = 0;
};

}  // namespace omnix
