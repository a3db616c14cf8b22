// What agents, operators and the intake ask of the engine: put in line for its thread, or read from the journal.
#include <algorithm>

#include "common/status.h"
#include "orchestrator/engine/engine_thread.h"
#include "orchestrator/engine/pending_alerts.h"
#include "orchestrator/engine/replay.h"

namespace omnix {
namespace {

constexpr uint32_t kDefaultListed = 50;
constexpr uint32_t kMaxListed = 1000;
constexpr uint32_t kMaxEventsListed = 10'000;

uint32_t Limit(uint32_t asked, uint32_t standard, uint32_t most) {
  return asked == 0 ? standard : std::min(asked, most);
}

}  // namespace

template <typename T>
void EngineThread::PostOrRefuse(Callback<T> done, EngineInput input) {
  if (const absl::Status posted = Post(std::move(input)); !posted.ok()) done(posted);
}

template <typename T>
void EngineThread::Read(Callback<T> done, std::function<absl::StatusOr<T>()> read) {
  absl::Status refused;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) {
      refused = Stopping();
    } else if (reads_.size() >= kMaxWaitingOperatorCalls) {
      refused = absl::ResourceExhaustedError("too many requests are waiting; try again in a second");
    } else {
      reads_.push_back([done, read = std::move(read)] { done(read()); });
    }
  }
  if (!refused.ok()) return done(refused);
  reader_wakes_.notify_one();
}

void EngineThread::AgentConnected(std::shared_ptr<AgentSession> session, v1::Hello hello) {
  const absl::Status posted = Post({[session, hello = std::move(hello)](Engine& engine) mutable {
                                      engine.AgentConnected(session, std::move(hello));
                                    },
                                    InputLane::kAgents});
  if (!posted.ok()) session->Close(posted);
}

void EngineThread::AgentItems(const std::shared_ptr<AgentSession>& session, std::vector<v1::AgentItem> items) {
  const size_t weight = items.size();
  Post({[session, items = std::move(items)](Engine& engine) mutable {
          engine.AgentItems(session, std::move(items));
          session->ItemsTaken();
        },
        InputLane::kAgents, weight})
      .IgnoreError();
}

void EngineThread::AgentDisconnected(const std::shared_ptr<AgentSession>& session, const std::string& reason) {
  Post({[session, reason](Engine& engine) { engine.AgentDisconnected(session, reason); }, InputLane::kAgents})
      .IgnoreError();
}

void EngineThread::IngestAlerts(std::vector<v1::Alert> alerts, Callback<std::vector<IngestedAlert>> done) {
  const size_t weight = alerts.size();
  size_t bytes = 0;
  for (const auto& alert : alerts) bytes += alert.ByteSizeLong();
  PostOrRefuse(done, {[alerts = std::move(alerts), done](Engine& engine) mutable {
                        engine.IngestAlerts(std::move(alerts), std::move(done));
                      },
                      InputLane::kAlerts, weight, bytes});
}

void EngineThread::OpenIncident(v1::OpenIncidentRequest request, Callback<v1::OpenIncidentResponse> done) {
  const size_t bytes = request.ByteSizeLong();
  PostOrRefuse(done, {[request = std::move(request), done](Engine& engine) mutable {
                        engine.OpenIncident(std::move(request), std::move(done));
                      },
                      InputLane::kOperators, 1, bytes});
}

void EngineThread::CommandIncident(v1::CommandIncidentRequest request, Callback<v1::CommandIncidentResponse> done) {
  const size_t bytes = request.ByteSizeLong();
  PostOrRefuse(done, {[request = std::move(request), done](Engine& engine) mutable {
                        engine.CommandIncident(std::move(request), std::move(done));
                      },
                      InputLane::kOperators, 1, bytes});
}

void EngineThread::GetIncident(v1::GetIncidentRequest request, Callback<v1::GetIncidentResponse> done) {
  Input get = [this, request = std::move(request), done](Engine& engine) {
    if (engine.GetOpenIncident(request.incident_id(), done)) return;
    const std::string open = engine.OpenIncidentsForPeople();
    const std::string& incident_id = request.incident_id();
    Read<v1::GetIncidentResponse>(done, [this, incident_id, open]() -> absl::StatusOr<v1::GetIncidentResponse> {
      v1::GetIncidentResponse response;
      OMNIX_ASSIGN_OR_RETURN(*response.mutable_incident(), Replay(journal_, incident_id));
      if (response.incident().id().empty()) return NotFound("no incident '{}'; {}", incident_id, open);
      return response;
    });
  };
  PostOrRefuse(done, {std::move(get), InputLane::kOperators});
}

void EngineThread::ListIncidents(v1::ListIncidentsRequest request, Callback<v1::ListIncidentsResponse> done) {
  const uint32_t limit = Limit(request.limit(), kDefaultListed, kMaxListed);
  Callback<v1::ListIncidentsResponse> describe = [this, done](absl::StatusOr<v1::ListIncidentsResponse> listed) {
    if (!listed.ok()) return done(listed.status());
    PostOrRefuse(done, {[done, response = *std::move(listed)](Engine& engine) mutable {
                          engine.DescribeWaiting(response);
                          done(std::move(response));
                        },
                        InputLane::kOperators});
  };
  Read<v1::ListIncidentsResponse>(
      describe, [this, limit, open_only = request.open_only()]() -> absl::StatusOr<v1::ListIncidentsResponse> {
        OMNIX_ASSIGN_OR_RETURN(auto summaries, journal_.ListIncidents(open_only, limit));
        v1::ListIncidentsResponse response;
        for (auto& summary : summaries) *response.add_incidents() = std::move(summary);
        return response;
      });
}

void EngineThread::ListEvents(v1::ListEventsRequest request, Callback<v1::ListEventsResponse> done) {
  const uint32_t limit = Limit(request.limit(), kMaxEventsListed, kMaxEventsListed);
  Read<v1::ListEventsResponse>(done, [this, request, limit]() -> absl::StatusOr<v1::ListEventsResponse> {
    OMNIX_ASSIGN_OR_RETURN(auto events, journal_.ReadEvents(request.incident_id(), request.after_sequence(), limit));
    if (events.empty() && request.after_sequence() == 0) return NotFound("no incident '{}'", request.incident_id());
    v1::ListEventsResponse response;
    for (auto& event : events) *response.add_events() = std::move(event);
    return response;
  });
}

void EngineThread::ListAgents(v1::ListAgentsRequest, Callback<v1::ListAgentsResponse> done) {
  PostOrRefuse(done, {[done](Engine& engine) { engine.ListAgents(done); }, InputLane::kOperators});
}

void EngineThread::DrainAgent(v1::DrainAgentRequest request, Callback<v1::DrainAgentResponse> done) {
  PostOrRefuse(done, {[request = std::move(request), done](Engine& engine) { engine.DrainAgent(request, done); },
                      InputLane::kOperators});
}

void EngineThread::ListAlerts(v1::ListAlertsRequest request, Callback<v1::ListAlertsResponse> done) {
  const uint32_t limit = Limit(request.limit(), kDefaultListed, kMaxListed);
  Read<v1::ListAlertsResponse>(done, [this, limit, request]() -> absl::StatusOr<v1::ListAlertsResponse> {
    v1::ListAlertsResponse response;
    OMNIX_ASSIGN_OR_RETURN(const auto pending, journal_.ReadPendingAlerts());
    for (auto& alert : ListPending(pending)) {
      if (response.alerts_size() == static_cast<int>(limit)) break;
      const bool fires = alert.alert().status() != v1::ALERT_STATUS_RESOLVED;
      if (fires || !request.firing_only()) *response.add_alerts() = std::move(alert);
    }
    const size_t left = limit - static_cast<size_t>(response.alerts_size());
    if (request.pending_only() || left == 0) return response;
    OMNIX_ASSIGN_OR_RETURN(auto alerts, journal_.ListAlerts(request.firing_only(), left));
    for (auto& alert : alerts) *response.add_alerts() = std::move(alert);
    return response;
  });
}

void EngineThread::GetStatus(v1::GetStatusRequest, Callback<v1::GetStatusResponse> done) {
  PostOrRefuse(done, {[done](Engine& engine) { engine.GetStatus(done); }, InputLane::kOperators});
}

void EngineThread::Watch(v1::WatchIncidentRequest request, std::shared_ptr<WatchSink> sink) {
  const absl::Status posted =
      Post({[request = std::move(request), sink](Engine& engine) mutable { engine.Watch(std::move(request), sink); },
            InputLane::kOperators});
  if (!posted.ok()) sink->OnEnd(posted);
}

void EngineThread::Unwatch(const std::shared_ptr<WatchSink>& sink) { watches_.Remove(sink); }

}  // namespace omnix
