// Merges and splits by hand: alerts that go from one incident to another. What both incidents say of it is in one
// transaction.
#include <algorithm>

#include "common/crash_point.h"
#include "common/status.h"
#include "orchestrator/core/decide.h"
#include "orchestrator/core/evolve_alerts.h"
#include "orchestrator/core/names.h"
#include "orchestrator/engine/engine.h"

namespace omnix {
namespace {

constexpr size_t kMaxSplit = 1'000;

}  // namespace

absl::Status Engine::Merge(const v1::CommandIncidentRequest& request, const std::string& by) {
  const std::string& id = request.incident_id();
  const std::string& into_id = request.merge().into();
  if (into_id.empty()) return InvalidArgument("a merge needs the incident that {} goes into", id);
  if (into_id == id) return InvalidArgument("{} can't be merged into itself", id);
  OMNIX_ASSIGN_OR_RETURN(Live* const from, FindOrLoad(id));
  OMNIX_ASSIGN_OR_RETURN(Live* const into, FindOrLoad(into_id));
  if (IsClosed(into->state.phase())) {
    return FailedPrecondition("{} is {}: nothing can be merged into it any more", into_id,
                              PhaseName(into->state.phase()));
  }
  const command::TakeAlerts take = TakeAllOf(from->state, by, request.reason());
  OMNIX_RETURN_IF_ERROR(Run(*from, command::MergeInto{into_id, by, request.reason()}));
  OMNIX_CRASH_POINT("alerts.half_merged");
  OMNIX_RETURN_IF_ERROR(Run(*into, take));
  alerts_.Move(id, into_id);
  MoveRepeats(id, into_id, {});
  for (const auto& alert : take.alerts) joins_.AddAlert(into_id, alert.subject());
  joins_.Touch(into_id, clock_.Now());
  OMNIX_CRASH_POINT("alerts.merged");
  return absl::OkStatus();
}

// As the incident read them last.
absl::StatusOr<std::vector<v1::Alert>> Engine::AlertsToSplit(const Live& live,
                                                             const std::set<std::string>& fingerprints) {
  const v1::Incident& incident = live.state;
  std::vector<v1::Alert> alerts;
  std::set<std::string> elsewhere;
  for (const auto& fingerprint : fingerprints) {
    const AlertIndex::Known* known = alerts_.Find(fingerprint);
    if (known == nullptr || known->incident_id() != incident.id()) {
      return NotFound("{} has no alert with the fingerprint '{}': omnix incident show {} -o json has those it shows",
                      incident.id(), fingerprint, incident.id());
    }
    const int place = FindAlert(incident, fingerprint);
    if (place >= 0) {
      alerts.push_back(incident.alerts(place));
    } else {
      elsewhere.insert(fingerprint);
    }
  }
  if (!elsewhere.empty()) {
    OMNIX_ASSIGN_OR_RETURN(auto kept, journal_.ReadAlerts(incident.id(), elsewhere));
    alerts.insert(alerts.end(), std::make_move_iterator(kept.begin()), std::make_move_iterator(kept.end()));
  }
  for (v1::Alert& alert : alerts) {
    // What is kept may be held as firing (it flaps), or not be written yet.
    const AlertIndex::Known* known = alerts_.Find(alert.fingerprint());
    alert.set_status(known->status);
    alert.set_severity(known->severity);
  }
  std::ranges::sort(alerts, {}, &v1::Alert::fingerprint);
  return alerts;
}

absl::StatusOr<std::string> Engine::Split(const v1::CommandIncidentRequest& request, const std::string& by) {
  const std::string& id = request.incident_id();
  const std::set<std::string> fingerprints(request.split().fingerprints().begin(),
                                           request.split().fingerprints().end());
  if (fingerprints.empty() || fingerprints.size() > kMaxSplit) {
    return InvalidArgument("a split takes 1 to {} alerts by their fingerprints, not {}", kMaxSplit,
                           fingerprints.size());
  }
  OMNIX_ASSIGN_OR_RETURN(Live* const from, FindOrLoad(id));
  command::SplitOff split{"", {}, by, request.reason()};
  if (IsClosed(from->state.phase())) {
    return FailedPrecondition("{} is {}: a split means nothing any more", id, PhaseName(from->state.phase()));
  }
  OMNIX_ASSIGN_OR_RETURN(std::vector<v1::Alert> alerts, AlertsToSplit(*from, fingerprints));
  v1::Severity severity = v1::SEVERITY_UNKNOWN;
  for (const auto& alert : alerts) {
    v1::AlertKey& key = split.alerts.emplace_back();
    key.set_fingerprint(alert.fingerprint());
    key.set_status(alert.status());
    key.set_severity(alert.severity());
    severity = std::max(severity, alert.severity());
  }
  // Refused before anything is opened.
  v1::Incident as_if = from->state;
  OMNIX_RETURN_IF_ERROR(Decide(as_if, from->run_by->playbook, split, clock_.Now()).status());
  const std::string title = alerts[0].title();
  OMNIX_ASSIGN_OR_RETURN(split.to, Open(title, severity, std::move(alerts), by, id));
  OMNIX_CRASH_POINT("alerts.half_split");
  OMNIX_RETURN_IF_ERROR(Run(*from, split));
  for (const auto& key : split.alerts) alerts_.Put(split.to, key.fingerprint(), key.status(), key.severity());
  MoveRepeats(id, split.to, fingerprints);
  OpenToAlerts(*from);
  OMNIX_CRASH_POINT("alerts.split");
  return split.to;
}

void Engine::MoveRepeats(const std::string& from, const std::string& to, const std::set<std::string>& fingerprints) {
  for (auto& [incident_id, fingerprint] : transaction_.batch.repeated_alerts) {
    if (incident_id == from && (fingerprints.empty() || fingerprints.contains(fingerprint))) incident_id = to;
  }
}

void Engine::MoveAlerts(const v1::CommandIncidentRequest& request, Callback<v1::CommandIncidentResponse> done) {
  const std::string by = "operator:" + (request.by().empty() ? "unknown" : request.by());
  absl::StatusOr<std::string> other = request.merge().into();
  if (request.has_split()) {
    other = Split(request, by);
  } else if (const absl::Status merged = Merge(request, by); !merged.ok()) {
    other = merged;
  }
  // Closed ones that were read back for it leave again.
  for (const auto& id : {request.incident_id(), request.merge().into()}) CloseIfEnded(id);
  if (!other.ok()) return done(other.status());
  v1::CommandIncidentResponse response;
  response.set_other_incident_id(*other);
  for (const auto& id : {request.incident_id(), *other}) Settle(id);
  DispatchAll();
  const auto live = FindOrLoad(request.incident_id());
  if (live.ok()) *response.mutable_incident() = Summarize((*live)->state);
  CloseIfEnded(request.incident_id());
  transaction_.replies.push_back([done = std::move(done), response](const absl::Status& committed) {
    committed.ok() ? done(response) : done(committed);
  });
}

}  // namespace omnix
