// Alerts and the opening of incidents.
#include <algorithm>

#include "common/crash_point.h"
#include "common/hash.h"
#include "common/status.h"
#include "common/time.h"
#include "orchestrator/engine/engine.h"
#include "orchestrator/playbook/library.h"

namespace omnix {

absl::StatusOr<std::string> Engine::NextIncidentId() {
  const std::string day = absl::FormatTime("%Y-%m-%d", clock_.Now(), absl::UTCTimeZone());
  auto counter = day_counters_.find(day);
  if (counter == day_counters_.end()) {
    OMNIX_ASSIGN_OR_RETURN(const uint32_t last, journal_.LastIncidentNumber(day));
    counter = day_counters_.emplace(day, last).first;
  }
  return fmt::format("INC-{}-{:03}", day, ++counter->second);
}

const v1::Playbook& Engine::PlaybookFor(const std::string& title, const std::vector<v1::Alert>& alerts) const {
  const auto& playbooks = configuration_.playbooks;
  Json context;
  // What no condition asks for need not be made.
  if (std::ranges::any_of(playbooks, [](const v1::Playbook& playbook) { return !playbook.match().empty(); })) {
    context["alert"] = alerts.empty() ? Json(nullptr) : MessageToJsonValue(alerts.front());
    context["incident"] = {{"title", title}};
  }
  return SelectPlaybook(playbooks, context);
}

absl::StatusOr<std::string> Engine::Open(std::string title, v1::Severity severity, std::vector<v1::Alert> alerts,
                                         const std::string& by) {
  const v1::Playbook& playbook = PlaybookFor(title, alerts);
  OMNIX_ASSIGN_OR_RETURN(const std::string id, NextIncidentId());
  OMNIX_CRASH_POINT("engine.before_open");
  Live live;
  const v1::Pins pins =
      run_by_.PinsFor(playbook, configuration_.system, configuration_.policy, transaction_.batch.pins);
  OMNIX_ASSIGN_OR_RETURN(live.run_by, run_by_.Load(pins, journal_));
  OMNIX_RETURN_IF_ERROR(Run(live, command::Open{id, std::move(title), severity, std::move(alerts), pins, by}));
  IndexAlerts(live);
  live_.emplace(id, std::move(live));
  Settle(id);
  OMNIX_CRASH_POINT("engine.opened");
  return id;
}

void Engine::IndexAlerts(const Live& live) {
  for (const auto& alert : live.state.alerts()) {
    alerts_.Put(live.state.id(), alert);
    joins_.Add(live.state.id(), live.run_by->groups, alert.subject());
  }
}

// Those of ended incidents: their clearing is still to come.
absl::Status Engine::IndexFiringAlerts() {
  OMNIX_ASSIGN_OR_RETURN(const auto firing, journal_.ListAlerts(/*firing_only=*/true, AlertIndex::kMaxRemembered));
  for (auto listed = firing.rbegin(); listed != firing.rend(); ++listed) {
    const std::string& id = listed->incident_id();
    if (!live_.contains(id) && !parked_.contains(id)) alerts_.Remember(id, listed->alert().fingerprint());
  }
  return absl::OkStatus();
}

// An ended incident is taken up again: its alerts are its own once more, but for those that another one has by now.
void Engine::ReclaimAlerts(const Live& live) {
  for (const auto& alert : live.state.alerts()) {
    if (alerts_.Find(alert.fingerprint()) == nullptr) alerts_.Put(live.state.id(), alert);
    joins_.Add(live.state.id(), live.run_by->groups, alert.subject());
  }
}

absl::Status Engine::Attach(Live& live, v1::Alert alert) {
  OMNIX_RETURN_IF_ERROR(Run(live, command::AttachAlert{alert}));
  alerts_.Put(live.state.id(), alert);
  joins_.Add(live.state.id(), live.run_by->groups, alert.subject());
  return absl::OkStatus();
}

absl::StatusOr<IngestedAlert> Engine::Ingest(v1::Alert alert, std::set<std::string>& touched) {
  *alert.mutable_received_at() = ToProto(clock_.Now());
  std::string id;
  if (const AlertIndex::Known* known = alerts_.Find(alert.fingerprint())) {
    id = known->incident_id;
    if (known->status == alert.status() && known->severity == alert.severity()) {
      transaction_.batch.repeated_alerts.emplace_back(id, alert.fingerprint());
      return IngestedAlert{id, false, true};
    }
  } else if (alert.status() == v1::ALERT_STATUS_RESOLVED) {
    id = alerts_.FindClosed(alert.fingerprint());
    // The clearing of something that no incident was opened for: there is nothing to keep.
    if (id.empty()) return IngestedAlert{"", false, true};
  } else {
    id = joins_.Find(alert.subject());
  }
  if (!id.empty()) {
    OMNIX_ASSIGN_OR_RETURN(Live * live, FindOrLoad(id));
    touched.insert(id);
    OMNIX_RETURN_IF_ERROR(Attach(*live, std::move(alert)));
    return IngestedAlert{id, false, false};
  }
  const std::string by = alert.source().empty() ? "alert" : alert.source();
  const std::string title = alert.title();
  const v1::Severity severity = alert.severity();
  OMNIX_ASSIGN_OR_RETURN(id, Open(title, severity, {std::move(alert)}, by));
  return IngestedAlert{id, true, false};
}

void Engine::IngestAlerts(std::vector<v1::Alert> alerts, Callback<std::vector<IngestedAlert>> done) {
  if (!refusing_.ok()) return done(refusing_);
  for (const auto& alert : alerts) {
    if (alert.fingerprint().empty() || alert.title().empty()) {
      return done(InvalidArgument("an alert needs a title and a fingerprint"));
    }
  }
  std::vector<IngestedAlert> results;
  std::set<std::string> touched;
  absl::Status failed;
  for (auto& alert : alerts) {
    auto result = Ingest(std::move(alert), touched);
    failed = result.status();
    if (!failed.ok()) break;
    results.push_back(*std::move(result));
    OMNIX_CRASH_POINT("engine.alert_taken");
  }
  for (const auto& id : touched) Settle(id);
  DispatchAll();
  // Nothing of it is written before the transaction is: the error tells the sender to come again, and what was taken is
  // a repeat then.
  transaction_.replies.push_back(
      [done = std::move(done), results = std::move(results), failed](const absl::Status& status) {
        if (!failed.ok()) return done(failed);
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
