// Alerts and the opening of incidents.
#include <algorithm>

#include "common/crash_point.h"
#include "common/hash.h"
#include "common/status.h"
#include "common/time.h"
#include "orchestrator/engine/engine.h"
#include "orchestrator/engine/grouping.h"
#include "orchestrator/playbook/library.h"

namespace omnix {
namespace {

bool TakesAlerts(const v1::Incident& incident) { return incident.phase() != v1::PHASE_ESCALATED; }

bool SaysNothingNew(const v1::Alert& alert, const v1::Incident& incident) {
  return std::any_of(incident.alerts().begin(), incident.alerts().end(), [&](const v1::Alert& known) {
    return known.fingerprint() == alert.fingerprint() && known.status() == alert.status() &&
           known.severity() == alert.severity();
  });
}

}  // namespace

absl::StatusOr<std::string> Engine::NextIncidentId() {
  const std::string day = absl::FormatTime("%Y-%m-%d", clock_.Now(), absl::UTCTimeZone());
  if (day != day_) {
    OMNIX_ASSIGN_OR_RETURN(day_counter_, journal_.LastIncidentNumber(day));
    day_ = day;
  }
  return fmt::format("INC-{}-{:03}", day, ++day_counter_);
}

absl::StatusOr<std::string> Engine::Open(std::string title, v1::Severity severity, std::vector<v1::Alert> alerts,
                                         const std::string& by) {
  Json context;
  context["alert"] = alerts.empty() ? Json(nullptr) : MessageToJsonValue(alerts.front());
  context["incident"] = {{"title", title}};
  const v1::Playbook& playbook = SelectPlaybook(configuration_.playbooks, context);
  OMNIX_ASSIGN_OR_RETURN(const std::string id, NextIncidentId());
  OMNIX_CRASH_POINT("engine.before_open");
  Live live;
  const v1::Pins pins =
      run_by_.PinsFor(playbook, configuration_.system, configuration_.policy, transaction_.batch.pins);
  OMNIX_ASSIGN_OR_RETURN(live.run_by, run_by_.Load(pins, journal_));
  OMNIX_RETURN_IF_ERROR(Run(live, command::Open{id, std::move(title), severity, alerts, pins, by}));
  for (const auto& alert : alerts) incident_by_fingerprint_[alert.fingerprint()] = id;
  live_.emplace(id, std::move(live));
  Settle(id);
  OMNIX_CRASH_POINT("engine.opened");
  return id;
}

absl::StatusOr<IngestedAlert> Engine::Ingest(v1::Alert alert) {
  *alert.mutable_received_at() = ToProto(clock_.Now());
  if (const auto known = incident_by_fingerprint_.find(alert.fingerprint()); known != incident_by_fingerprint_.end()) {
    const std::string id = known->second;
    Live* live = FindLive(id);
    if (live != nullptr && SaysNothingNew(alert, live->state)) {
      transaction_.batch.repeated_alerts.emplace_back(id, alert.fingerprint());
      return IngestedAlert{id, false, true};
    }
    if (live != nullptr) {
      OMNIX_RETURN_IF_ERROR(Run(*live, command::AttachAlert{std::move(alert)}));
      Settle(id);
      return IngestedAlert{id, false, false};
    }
  }
  if (alert.status() == v1::ALERT_STATUS_RESOLVED) {
    const auto closed = std::find_if(closed_fingerprints_.begin(), closed_fingerprints_.end(),
                                     [&](const auto& entry) { return entry.first == alert.fingerprint(); });
    // The clearing of something that no incident was opened for: there is nothing to keep.
    if (closed == closed_fingerprints_.end()) return IngestedAlert{"", false, true};
    const std::string id = closed->second;
    closed_fingerprints_.erase(closed);
    OMNIX_ASSIGN_OR_RETURN(Live * live, FindOrLoad(id));
    OMNIX_RETURN_IF_ERROR(Run(*live, command::AttachAlert{std::move(alert)}));
    Settle(id);
    return IngestedAlert{id, false, false};
  }
  for (auto& [id, live] : live_) {
    if (!TakesAlerts(live.state) || !JoinsIncident(alert, live.state, live.run_by->system)) continue;
    const std::string incident_id = id;
    incident_by_fingerprint_[alert.fingerprint()] = incident_id;
    OMNIX_RETURN_IF_ERROR(Run(live, command::AttachAlert{std::move(alert)}));
    Settle(incident_id);
    return IngestedAlert{incident_id, false, false};
  }
  const std::string by = alert.source().empty() ? "alert" : alert.source();
  const std::string title = alert.title();
  const v1::Severity severity = alert.severity();
  OMNIX_ASSIGN_OR_RETURN(const std::string id, Open(title, severity, {std::move(alert)}, by));
  return IngestedAlert{id, true, false};
}

void Engine::IngestAlerts(std::vector<v1::Alert> alerts, Callback<std::vector<IngestedAlert>> done) {
  if (!refusing_.ok()) return done(refusing_);
  std::vector<IngestedAlert> results;
  for (auto& alert : alerts) {
    if (alert.fingerprint().empty() || alert.title().empty()) {
      return done(InvalidArgument("an alert needs a title and a fingerprint"));
    }
  }
  for (auto& alert : alerts) {
    auto result = Ingest(std::move(alert));
    // Nothing of it is written before the transaction is: the error tells the sender to come again, and what was taken
    // is a repeat then.
    if (!result.ok()) {
      return transaction_.replies.push_back([done, status = result.status()](const absl::Status&) { done(status); });
    }
    results.push_back(*std::move(result));
    OMNIX_CRASH_POINT("engine.alert_taken");
  }
  DispatchAll();
  transaction_.replies.push_back([done = std::move(done), results = std::move(results)](const absl::Status& status) {
    status.ok() ? done(results) : done(status);
  });
}

void Engine::OpenIncident(v1::OpenIncidentRequest request, Callback<v1::OpenIncidentResponse> done) {
  if (!refusing_.ok()) return done(refusing_);
  if (request.title().empty()) return done(InvalidArgument("an incident needs a title"));
  v1::Alert alert;
  alert.set_title(request.title());
  alert.set_description(request.description());
  alert.set_severity(request.severity());
  alert.set_status(v1::ALERT_STATUS_FIRING);
  alert.set_subject(request.subject());
  alert.set_source("operator");
  *alert.mutable_labels() = request.labels();
  alert.set_fingerprint("operator-" + RandomHex(8));
  *alert.mutable_starts_at() = ToProto(clock_.Now());
  *alert.mutable_received_at() = ToProto(clock_.Now());
  const std::string by = "operator:" + (request.by().empty() ? "unknown" : request.by());
  auto id = Open(request.title(), request.severity(), {alert}, by);
  if (!id.ok()) return done(id.status());
  DispatchAll();
  v1::OpenIncidentResponse response;
  response.set_incident_id(*id);
  transaction_.replies.push_back(
      [done = std::move(done), response](const absl::Status& status) { status.ok() ? done(response) : done(status); });
}

}  // namespace omnix
