// Commands about an incident's alerts: as they come, clear, flap, and move between incidents.
#include <algorithm>

#include "common/status.h"
#include "common/time.h"
#include "orchestrator/core/decide.h"
#include "orchestrator/core/decision.h"
#include "orchestrator/core/evolve_alerts.h"
#include "orchestrator/core/names.h"

namespace omnix {
namespace {

bool Fires(const v1::Alert& alert) { return alert.status() != v1::ALERT_STATUS_RESOLVED; }

void AddAll(v1::AlertCounts& counts, const v1::AlertCounts& more) {
  counts.set_total(counts.total() + more.total());
  counts.set_firing(counts.firing() + more.firing());
  counts.set_resolved(counts.resolved() + more.resolved());
  counts.set_critical(counts.critical() + more.critical());
  counts.set_error(counts.error() + more.error());
  counts.set_warning(counts.warning() + more.warning());
  counts.set_info(counts.info() + more.info());
  counts.set_unknown(counts.unknown() + more.unknown());
}

// Many monitors do not tell of an end, or of another severity, when it had begun; the intake then puts the time of
// arrival there, which is not before the end. What is known of the beginning stays.
void KeepBeginning(const v1::Incident& incident, v1::Alert& alert) {
  const int place = FindAlert(incident, alert.fingerprint());
  if (place < 0 || !incident.alerts(place).has_starts_at() || !alert.has_starts_at()) return;
  const bool goes_on = Fires(alert) && Fires(incident.alerts(place));
  const bool ends_as_it_begins =
      !Fires(alert) && alert.has_ends_at() && FromProto(alert.starts_at()) >= FromProto(alert.ends_at());
  if (!goes_on && !ends_as_it_begins) return;
  const google::protobuf::Timestamp& known = incident.alerts(place).starts_at();
  if (FromProto(known) < FromProto(alert.starts_at())) *alert.mutable_starts_at() = known;
}

void ClearOne(v1::AlertCounts& counts) {
  if (counts.firing() == 0) return;
  counts.set_firing(counts.firing() - 1);
  counts.set_resolved(counts.resolved() + 1);
}

}  // namespace

command::TakeAlerts TakeAllOf(const v1::Incident& from, const std::string& by, const std::string& reason) {
  command::TakeAlerts take;
  take.from = from.id();
  take.alerts.assign(from.alerts().begin(), from.alerts().end());
  take.counts = from.alert_counts();
  take.by = by;
  take.reason = reason;
  for (const auto& flapping : from.flapping()) {
    if (flapping.status() != v1::ALERT_STATUS_RESOLVED) continue;
    ClearOne(take.counts);
    const int place = FindAlert(from, flapping.fingerprint());
    if (place >= 0) take.alerts[static_cast<size_t>(place)].set_status(v1::ALERT_STATUS_RESOLVED);
  }
  return take;
}

absl::Status Decision::RefuseIfChanging(const char* what) const {
  if (!incident_.rollback_by().empty()) {
    return FailedPrecondition("{} is being rolled back: {} has to wait for its end", incident_.id(), what);
  }
  if (!MayHaveChangedTheWorld(incident_) && incident_.resources().empty()) return absl::OkStatus();
  return FailedPrecondition(
      "{} is {} and its recovery is under way or in effect: {} has to wait until it has ended or is undone (omnix "
      "incident rollback {})",
      incident_.id(), PhaseName(incident_.phase()), what, incident_.id());
}

// A flapping alert counts as firing, whatever its monitor said last.
v1::AlertKey Decision::LastReading(const v1::Alert& alert, const std::optional<v1::AlertKey>& was) const {
  v1::AlertKey last;
  const int place = FindAlert(incident_, alert.fingerprint());
  if (was.has_value()) {
    last = *was;
  } else if (place >= 0) {
    last.set_status(incident_.alerts(place).status());
    last.set_severity(incident_.alerts(place).severity());
  }
  if (FindFlapping(incident_, alert.fingerprint()) >= 0) last.set_status(v1::ALERT_STATUS_FIRING);
  return last;
}

void Decision::ValidateIfCleared() {
  const bool before_recovering =
      incident_.phase() == v1::PHASE_MOBILIZING || incident_.phase() == v1::PHASE_INVESTIGATING;
  if (!before_recovering || incident_.paused() || !AllCleared(incident_)) return;
  CancelTasks("all alerts have cleared");
  EnterPhase(v1::PHASE_VALIDATING, "all alerts have cleared by themselves");
}

absl::Status Decision::Handle(command::AttachAlert attach) {
  // A closed incident takes the news that its alert cleared, and nothing else.
  if (Fires(attach.alert)) OMNIX_RETURN_IF_ERROR(RefuseIfClosed("a firing alert"));
  const v1::AlertKey last = LastReading(attach.alert, attach.was);
  v1::Event event;
  auto* attached = event.mutable_alert_attached();
  *attached->mutable_alert() = std::move(attach.alert);
  const v1::Alert& alert = attached->alert();
  KeepBeginning(incident_, *attached->mutable_alert());
  attached->set_severity(std::max(incident_.severity(), alert.severity()));
  attached->set_damped(FindFlapping(incident_, alert.fingerprint()) >= 0);
  v1::AlertCounts& counts = *attached->mutable_counts();
  counts = incident_.alert_counts();
  Uncount(counts, last.status(), last.severity());
  Count(counts, attached->damped() ? v1::ALERT_STATUS_FIRING : alert.status(), alert.severity());
  const bool damped = attached->damped();
  Emit(std::move(event));
  const bool closed = IsClosed(incident_.phase());
  if (attach.flap && !damped && !closed && incident_.flapping_size() < kMaxFlappingInState) {
    MarkFlapping(events_.back().alert_attached().alert(), *attach.flap);
  }
  ValidateIfCleared();
  return absl::OkStatus();
}

void Decision::MarkFlapping(const v1::Alert& alert, const command::Flap& flap) {
  v1::Event event;
  auto* flapping = event.mutable_alert_flapping();
  flapping->set_fingerprint(alert.fingerprint());
  flapping->set_title(alert.title());
  flapping->set_status(alert.status());
  flapping->set_changes(flap.changes);
  *flapping->mutable_within() = ToProto(flap.within);
  *flapping->mutable_quiet() = ToProto(flap.quiet);
  v1::AlertCounts& counts = *flapping->mutable_counts();
  counts = incident_.alert_counts();
  Uncount(counts, alert.status(), alert.severity());
  Count(counts, v1::ALERT_STATUS_FIRING, alert.severity());
  Emit(std::move(event));
}

void Decision::Settle(const std::string& fingerprint) {
  const v1::FlappingAlert flapping = incident_.flapping(FindFlapping(incident_, fingerprint));
  v1::Event event;
  auto* settled = event.mutable_alert_settled();
  settled->set_fingerprint(fingerprint);
  settled->set_title(flapping.title());
  settled->set_status(flapping.status());
  v1::AlertCounts& counts = *settled->mutable_counts();
  counts = incident_.alert_counts();
  if (flapping.status() == v1::ALERT_STATUS_RESOLVED) ClearOne(counts);
  Emit(std::move(event));
}

absl::Status Decision::Handle(const command::SettleAlert& settle) {
  OMNIX_RETURN_IF_ERROR(RefuseIfClosed("the quiet of an alert"));
  if (FindFlapping(incident_, settle.fingerprint) < 0) {
    return NotFound("{} has no flapping alert {}", incident_.id(), settle.fingerprint);
  }
  Settle(settle.fingerprint);
  ValidateIfCleared();
  return absl::OkStatus();
}

absl::Status Decision::Handle(const command::Reopen& reopen) {
  if (incident_.phase() != v1::PHASE_RESOLVED) {
    return FailedPrecondition("{} is {}: only a resolved incident is taken up again", incident_.id(),
                              PhaseName(incident_.phase()));
  }
  v1::Event event;
  event.mutable_incident_reopened()->set_reason(reopen.reason);
  *event.mutable_incident_reopened()->mutable_budget_until() = ToProto(now_ + BudgetOf(incident_));
  Emit(std::move(event));
  EnterPhase(v1::PHASE_INVESTIGATING, "taken up again: " + reopen.reason);
  return absl::OkStatus();
}

absl::Status Decision::Handle(const command::TakeAlerts& take) {
  OMNIX_RETURN_IF_ERROR(RefuseIfClosed("a merge"));
  v1::Event event;
  auto* taken = event.mutable_alerts_taken();
  taken->set_from(take.from);
  for (const auto& alert : take.alerts) *taken->add_alerts() = alert;
  taken->set_severity(std::max(incident_.severity(), WorstOf(take.counts)));
  *taken->mutable_counts() = incident_.alert_counts();
  AddAll(*taken->mutable_counts(), take.counts);
  taken->set_by(take.by);
  taken->set_reason(take.reason);
  Emit(std::move(event));
  return absl::OkStatus();
}

absl::Status Decision::Handle(const command::MergeInto& merge) {
  OMNIX_RETURN_IF_ERROR(RefuseIfClosed("a merge"));
  OMNIX_RETURN_IF_ERROR(RefuseIfChanging("a merge"));
  CancelTasks("merged into " + merge.into);
  v1::Event event;
  auto* moved = event.mutable_alerts_moved();
  moved->set_to(merge.into);
  moved->set_all(true);
  moved->set_severity(incident_.severity());
  moved->mutable_counts();
  moved->set_by(merge.by);
  moved->set_reason(merge.reason);
  Emit(std::move(event));
  v1::Event cancelled;
  cancelled.mutable_incident_cancelled()->set_by(merge.by);
  cancelled.mutable_incident_cancelled()->set_reason("merged into " + merge.into);
  Emit(std::move(cancelled));
  return absl::OkStatus();
}

absl::Status Decision::Handle(const command::SplitOff& split) {
  OMNIX_RETURN_IF_ERROR(RefuseIfClosed("a split"));
  OMNIX_RETURN_IF_ERROR(RefuseIfChanging("a split"));
  const uint32_t total = incident_.alert_counts().total();
  if (split.alerts.empty() || split.alerts.size() >= total) {
    return FailedPrecondition("{} has {} alert{}: at least one must go, and at least one must stay", incident_.id(),
                              total, total == 1 ? "" : "s");
  }
  for (const auto& key : split.alerts) {
    if (FindFlapping(incident_, key.fingerprint()) >= 0) Settle(key.fingerprint());
  }
  v1::Event event;
  auto* moved = event.mutable_alerts_moved();
  moved->set_to(split.to);
  v1::AlertCounts& counts = *moved->mutable_counts();
  counts = incident_.alert_counts();
  for (const auto& key : split.alerts) {
    moved->add_fingerprints(key.fingerprint());
    Uncount(counts, key.status(), key.severity());
  }
  moved->set_severity(WorstOf(counts));
  moved->set_by(split.by);
  moved->set_reason(split.reason);
  Emit(std::move(event));
  ValidateIfCleared();
  return absl::OkStatus();
}

absl::Status Decision::Handle(const command::NameSuspects& name) {
  OMNIX_RETURN_IF_ERROR(RefuseIfClosed("a suspect"));
  v1::Event event;
  event.mutable_suspects_named();
  for (const auto& suspect : name.suspects) *event.mutable_suspects_named()->add_suspects() = suspect;
  Emit(std::move(event));
  return absl::OkStatus();
}

}  // namespace omnix
