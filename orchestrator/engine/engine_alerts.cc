// Alerts and the opening of incidents.
#include <algorithm>
#include <unordered_map>

#include "common/crash_point.h"
#include "common/hash.h"
#include "common/status.h"
#include "common/time.h"
#include "orchestrator/core/evolve_alerts.h"
#include "orchestrator/core/names.h"
#include "orchestrator/engine/engine.h"
#include "orchestrator/playbook/library.h"

namespace omnix {
namespace {

constexpr char kNoPlaybookMatches[] =
    "No playbook of this site matches: the built-in one is in charge. A playbook whose `match` holds for this alert "
    "would be taken instead.";

// Alerts of ended incidents that are read back at the start.
constexpr size_t kRememberedAtStart = 10'000;

// So many of the last events are searched for changes of alerts, however long the journal is.
constexpr size_t kEventsForFlaps = 20'000;

}  // namespace

absl::StatusOr<std::string> Engine::NextIncidentId() {
  const absl::Time now = clock_.Now();
  // Formatted once a day: in a storm incidents open by the ten thousand a second.
  if (now < today_begins_ || now >= today_begins_ + absl::Hours(24)) {
    const absl::CivilDay day = absl::ToCivilDay(now, absl::UTCTimeZone());
    today_begins_ = absl::FromCivil(day, absl::UTCTimeZone());
    today_ = absl::FormatTime("%Y-%m-%d", now, absl::UTCTimeZone());
  }
  const std::string& day = today_;
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
                                         const std::string& by, const std::string& split_from,
                                         const std::optional<command::Flap>& flap) {
  const v1::Playbook& playbook = PlaybookFor(title, alerts);
  OMNIX_ASSIGN_OR_RETURN(const std::string id, NextIncidentId());
  OMNIX_CRASH_POINT("engine.before_open");
  Live live;
  const v1::Pins& pins =
      run_by_.PinsFor(playbook, configuration_.system, configuration_.policy, transaction_.batch.pins);
  OMNIX_ASSIGN_OR_RETURN(live.run_by, run_by_.Load(pins, journal_));
  OMNIX_RETURN_IF_ERROR(
      Run(live, command::Open{id, std::move(title), severity, std::move(alerts), pins, by, split_from, flap}));
  // Where the site has playbooks of its own, it expects one of them to be in charge.
  if (!configuration_.playbooks.empty() && &playbook == &BuiltInPlaybook()) {
    OMNIX_RETURN_IF_ERROR(Run(live, command::AddNote{"omnix", kNoPlaybookMatches}));
  }
  OMNIX_RETURN_IF_ERROR(IndexAlerts(live));
  live_.emplace(id, std::move(live));
  Settle(id);
  OMNIX_CRASH_POINT("engine.opened");
  return id;
}

absl::Status Engine::IndexAlerts(const Live& live) {
  const v1::Incident& incident = live.state;
  auto put = [&](const std::string& fingerprint, v1::AlertStatus status, v1::Severity severity) {
    if (alerts_.Find(fingerprint) == nullptr) alerts_.Put(incident.id(), fingerprint, status, severity);
  };
  for (const auto& flapping : incident.flapping()) {
    const int place = FindAlert(incident, flapping.fingerprint());
    if (place >= 0) put(flapping.fingerprint(), flapping.status(), incident.alerts(place).severity());
  }
  for (const auto& alert : incident.alerts()) put(alert.fingerprint(), alert.status(), alert.severity());
  // The state keeps only some of many.
  if (incident.alert_counts().total() > static_cast<uint32_t>(incident.alerts_size())) {
    OMNIX_RETURN_IF_ERROR(journal_.ReadAlertKeys(
        incident.id(), [&](const v1::AlertKey& alert) { put(alert.fingerprint(), alert.status(), alert.severity()); }));
  }
  OpenToAlerts(live);
  return absl::OkStatus();
}

// Those of ended incidents may fire again, and the clearing of those that fire is still to come: these last, to be
// remembered the longest.
absl::Status Engine::IndexEndedAlerts() {
  for (const bool firing_only : {false, true}) {
    OMNIX_ASSIGN_OR_RETURN(const auto alerts, journal_.ListAlertKeys(firing_only, kRememberedAtStart));
    for (auto listed = alerts.rbegin(); listed != alerts.rend(); ++listed) {
      const std::string& id = listed->incident_id;
      if (live_.contains(id) || parked_.contains(id)) continue;
      const v1::AlertKey& alert = listed->alert;
      const AlertIndex::Known* newer = alerts_.FindEnded(alert.fingerprint());
      if (firing_only && newer != nullptr && newer->incident_id() != id) continue;
      alerts_.Remember(id, alert.fingerprint(), alert.status(), alert.severity());
    }
  }
  return absl::OkStatus();
}

// As IngestAlerts counted them: a change is a reading as firing or resolved behind one as the other. The first reading
// of an alert says nothing, unless it is its clearing.
absl::Status Engine::RecountFlaps() {
  std::unordered_map<std::string, v1::AlertStatus> last;
  const auto read = [&](const v1::Alert& alert, absl::Time at, v1::AlertStatus before_first) {
    const auto [known, is_first] = last.try_emplace(alert.fingerprint(), before_first);
    const bool changes = known->second != alert.status();
    known->second = alert.status();
    if (!changes) return;
    const FlapLimits& limits = grouping_.For(alert).flapping;
    if (!limits.off) flaps_.Changed(alert.fingerprint(), at, limits.within);
  };
  return journal_.VisitRecentAlerts(kEventsForFlaps, [&](const v1::Event& event) {
    const absl::Time at = FromProto(event.time());
    for (const auto& alert : event.incident_opened().alerts()) read(alert, at, alert.status());
    if (event.has_alert_attached()) read(event.alert_attached().alert(), at, v1::ALERT_STATUS_FIRING);
  });
}

// An ended incident is taken up again: its alerts are its own once more, but for those that another one has by now.
absl::Status Engine::ReclaimAlerts(const Live& live) {
  alerts_.Reopen(live.state.id());
  return IndexAlerts(live);
}

absl::Status Engine::Attach(Live& live, v1::Alert alert, const std::optional<command::Flap>& flap) {
  const std::string& id = live.state.id();
  const std::string fingerprint = alert.fingerprint();
  const std::string subject = alert.subject();
  const v1::AlertStatus status = alert.status();
  const v1::Severity severity = alert.severity();
  const AlertIndex::Known* known = alerts_.Find(fingerprint);
  if (known == nullptr) known = alerts_.FindEnded(fingerprint);
  v1::AlertKey was;
  if (known != nullptr && known->incident_id() == id) {
    was.set_status(known->status);
    was.set_severity(known->severity);
  }
  OMNIX_RETURN_IF_ERROR(Run(live, command::AttachAlert{std::move(alert), std::move(was), flap}));
  if (IsClosed(live.state.phase())) {
    alerts_.Remember(id, fingerprint, status, severity);
    return absl::OkStatus();
  }
  alerts_.Put(id, fingerprint, status, severity);
  joins_.AddAlert(id, subject);
  joins_.Touch(id, clock_.Now());
  return absl::OkStatus();
}

absl::StatusOr<IngestedAlert> Engine::Ingest(v1::Alert alert, std::set<std::string>& touched) {
  *alert.mutable_received_at() = ToProto(clock_.Now());
  const AlertIndex::Known* known = alerts_.Find(alert.fingerprint());
  if (known == nullptr) {
    return alert.status() == v1::ALERT_STATUS_RESOLVED ? IngestCleared(std::move(alert), touched)
                                                       : IngestNew(std::move(alert), touched);
  }
  const std::string id = known->incident_id();
  if (known->status == alert.status() && known->severity == alert.severity()) {
    transaction_.batch.repeated_alerts.emplace_back(id, alert.fingerprint());
    joins_.Touch(id, clock_.Now());
    return IngestedAlert{id, false, true};
  }
  std::optional<command::Flap> flap;
  if (known->status != alert.status()) flap = Flaps(alert, grouping_.For(alert));
  OMNIX_ASSIGN_OR_RETURN(Live * live, FindOrLoad(id));
  touched.insert(id);
  OMNIX_RETURN_IF_ERROR(Attach(*live, std::move(alert), flap));
  return IngestedAlert{id, false, false};
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
      [done = std::move(done), results = std::move(results), failed](const absl::Status& status) mutable {
        if (!failed.ok()) return done(failed);
        status.ok() ? done(std::move(results)) : done(status);
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
