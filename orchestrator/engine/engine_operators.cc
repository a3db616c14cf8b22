// What operators ask.
#include <algorithm>

#include "common/crash_point.h"
#include "common/status.h"
#include "common/time.h"
#include "orchestrator/core/names.h"
#include "orchestrator/engine/engine.h"

namespace omnix {
namespace {

constexpr size_t kMaxIncidentsNamedInAnError = 5;

absl::StatusOr<Command> CommandOf(const v1::CommandIncidentRequest& request) {
  const std::string by = "operator:" + (request.by().empty() ? "unknown" : request.by());
  const std::string& reason = request.reason();
  switch (request.command_case()) {
    case v1::CommandIncidentRequest::kApprove:
      return command::Approve{request.approve().plan_hash(), by, reason};
    case v1::CommandIncidentRequest::kReject:
      return command::Reject{request.reject().plan_hash(), by, reason};
    case v1::CommandIncidentRequest::kChoose:
      return command::Choose{request.choose().explanation_id(), by};
    case v1::CommandIncidentRequest::kPause:
      return command::Pause{by, reason};
    case v1::CommandIncidentRequest::kResume:
      return command::Resume{by, reason};
    case v1::CommandIncidentRequest::kCancel:
      return command::Cancel{by, reason};
    case v1::CommandIncidentRequest::kEscalate:
      return command::Escalate{by, reason};
    case v1::CommandIncidentRequest::kNote:
      return command::AddNote{by, request.note().text()};
    case v1::CommandIncidentRequest::kRollback:
      return command::RequestRollback{by, reason};
    case v1::CommandIncidentRequest::kMerge:
    case v1::CommandIncidentRequest::kSplit:
    case v1::CommandIncidentRequest::COMMAND_NOT_SET:
      break;
  }
  return InvalidArgument("the request names no command");
}

}  // namespace

v1::IncidentSummary Engine::Summarize(const v1::Incident& incident) const {
  v1::IncidentSummary summary;
  summary.set_id(incident.id());
  summary.set_title(incident.title());
  summary.set_severity(incident.severity());
  summary.set_phase(incident.phase());
  summary.set_paused(incident.paused());
  *summary.mutable_opened_at() = incident.opened_at();
  if (incident.has_resolved_at()) *summary.mutable_resolved_at() = incident.resolved_at();
  summary.set_alerts(incident.alert_counts().total());
  summary.set_alerts_firing(incident.alert_counts().firing());
  if (const auto found = live_.find(incident.id()); found != live_.end()) {
    const auto waiting = WaitingOf(found->second);
    if (!waiting.empty()) summary.set_waiting_for(waiting.front().what());
  }
  return summary;
}

void Engine::CommandIncident(v1::CommandIncidentRequest request, Callback<v1::CommandIncidentResponse> done) {
  if (!refusing_.ok()) return done(refusing_);
  if (request.has_merge() || request.has_split()) return MoveAlerts(request, std::move(done));
  auto command = CommandOf(request);
  if (!command.ok()) return done(command.status());
  const bool was_open = live_.contains(request.incident_id()) || parked_.contains(request.incident_id());
  auto live = FindOrLoad(request.incident_id());
  if (!live.ok()) return done(live.status());
  OMNIX_CRASH_POINT("engine.before_command");
  const absl::Status status = Run(**live, *command);
  if (!status.ok()) {
    CloseIfEnded(request.incident_id());
    return done(status);
  }
  if (!was_open && !IsClosed((*live)->state.phase())) {
    if (const absl::Status reclaimed = ReclaimAlerts(**live); !reclaimed.ok()) return done(reclaimed);
  }
  v1::CommandIncidentResponse response;
  // A closed incident leaves memory when it settles.
  *response.mutable_incident() = Summarize((*live)->state);
  OMNIX_CRASH_POINT("engine.commanded");
  Settle(request.incident_id());
  DispatchAll();
  if (const v1::Incident* open = FindOpen(request.incident_id())) *response.mutable_incident() = Summarize(*open);
  transaction_.replies.push_back([done = std::move(done), response](const absl::Status& committed) {
    committed.ok() ? done(response) : done(committed);
  });
}

bool Engine::GetOpenIncident(const std::string& incident_id, Callback<v1::GetIncidentResponse> done) {
  const auto found = FindOrUnpark(incident_id);
  if (!found.ok()) {
    done(found.status());
    return true;
  }
  const Live* live = *found;
  if (live == nullptr) return false;
  v1::GetIncidentResponse response;
  *response.mutable_incident() = live->state;
  for (auto& waiting : WaitingOf(*live)) *response.add_waiting() = std::move(waiting);
  transaction_.replies.push_back(
      [done = std::move(done), response = std::move(response)](const absl::Status& committed) {
        committed.ok() ? done(response) : done(committed);
      });
  return true;
}

void Engine::DescribeWaiting(v1::ListIncidentsResponse& response) const {
  for (auto& summary : *response.mutable_incidents()) {
    if (const auto parked = parked_.find(summary.id()); parked != parked_.end()) {
      summary.set_waiting_for(parked->second.waiting_for);
    }
    const auto found = live_.find(summary.id());
    if (found == live_.end()) continue;
    const auto waiting = WaitingOf(found->second);
    if (!waiting.empty()) summary.set_waiting_for(waiting.front().what());
  }
}

std::string Engine::OpenIncidentsForPeople() const {
  std::vector<std::string> ids;
  auto add_newest = [&ids](const auto& incidents) {
    size_t left = kMaxIncidentsNamedInAnError;
    for (auto it = incidents.rbegin(); it != incidents.rend() && left > 0; ++it, --left) ids.push_back(it->first);
  };
  add_newest(live_);
  add_newest(parked_);
  if (ids.empty()) return "no incident is open";
  std::ranges::sort(ids, std::greater<>());
  ids.resize(std::min(ids.size(), kMaxIncidentsNamedInAnError));
  const size_t more = open_incidents() - ids.size();
  return fmt::format("open: {}{}", fmt::join(ids, ", "), more == 0 ? "" : fmt::format(" and {} more", more));
}

void Engine::ListAgents(Callback<v1::ListAgentsResponse> done) {
  v1::ListAgentsResponse response;
  for (const auto& [name, agent] : registry_.agents()) *response.add_agents() = InfoOf(agent);
  done(response);
}

void Engine::DrainAgent(const v1::DrainAgentRequest& request, Callback<v1::DrainAgentResponse> done) {
  if (!refusing_.ok()) return done(refusing_);
  RegisteredAgent* agent = registry_.Find(request.name());
  if (agent == nullptr || agent->session == nullptr) {
    return done(NotFound("no agent '{}' is connected: omnix agent list shows those that are", request.name()));
  }
  agent->draining = true;
  SendDrain(*agent, "asked by operator:" + request.by());
  transaction_.batch.agents.push_back(InfoOf(*agent));
  transaction_.replies.push_back([done = std::move(done)](const absl::Status& committed) {
    committed.ok() ? done(v1::DrainAgentResponse()) : done(committed);
  });
}

void Engine::GetStatus(Callback<v1::GetStatusResponse> done) {
  v1::GetStatusResponse response;
  response.set_version(options_.version);
  response.set_journal(refusing_.ok() ? "ok" : Message(refusing_));
  response.set_open_incidents(static_cast<uint32_t>(refusing_.ok() ? open_incidents() : open_when_refused_));
  response.set_connected_agents(
      static_cast<uint32_t>(std::count_if(registry_.agents().begin(), registry_.agents().end(),
                                          [](const auto& agent) { return agent.second.session != nullptr; })));
  *response.mutable_started_at() = ToProto(started_at_);
  response.mutable_dependencies()->insert(options_.dependencies.begin(), options_.dependencies.end());
  done(response);
}

void Engine::Watch(v1::WatchIncidentRequest request, std::shared_ptr<WatchSink> sink) {
  if (!refusing_.ok()) return sink->OnEnd(refusing_);
  transaction_.watches.emplace_back(std::move(request), std::move(sink));
}

}  // namespace omnix
