#include "orchestrator/journal/projection.h"

#include "absl/strings/str_join.h"
#include "orchestrator/core/names.h"
#include "orchestrator/journal/names.h"

namespace omnix {
namespace {

// What happens to tasks is said by their own rows; the incident's row is written only where something in it changes.
bool ChangesIncidentRow(const v1::Event& event) {
  switch (event.kind_case()) {
    case v1::Event::kTaskAssigned:
    case v1::Event::kTaskSkipped:
    case v1::Event::kAttemptFailed:
    case v1::Event::kTaskFailed:
    case v1::Event::kTaskCancelled:
    case v1::Event::kLateResult:
    case v1::Event::kEvidenceRecorded:
      return false;
    case v1::Event::kTaskSucceeded:
      return event.task_succeeded().product().has_diagnosis() || event.task_succeeded().product().has_plan();
    default:
      return true;
  }
}

std::string JoinAgents(const v1::AgentsMobilized& event) {
  return absl::StrJoin(event.roster(), ", ",
                       [](std::string* out, const v1::RosterEntry& entry) { out->append(entry.agent()); });
}

}  // namespace

absl::Status Projector::Apply(int64_t id, int64_t opened_event, const v1::Event& event) {
  const std::string& time = event_times_.Format(event.time());
  if (ChangesIncidentRow(event)) {
    Last& last = touched_[opened_event];
    last.sequence = event.sequence();
    last.time = time;
  }
  const Context at{id, opened_event, event.incident_id(), event.sequence(), time};
  switch (event.kind_case()) {
    case v1::Event::kIncidentOpened:
      return Opened(at, event.incident_opened());
    case v1::Event::kAlertAttached:
      return Attached(at, event.alert_attached());
    case v1::Event::kAlertFlapping:
      touched_[at.opened_event].counts = event.alert_flapping().counts();
      return absl::OkStatus();
    case v1::Event::kAlertSettled:
      touched_[at.opened_event].counts = event.alert_settled().counts();
      return absl::OkStatus();
    case v1::Event::kAlertsTaken:
      // The rows come with the other incident's event.
      Counted(at, event.alerts_taken().severity(), event.alerts_taken().counts());
      return absl::OkStatus();
    case v1::Event::kAlertsMoved:
      return Moved(at, event.alerts_moved());
    case v1::Event::kIncidentReopened:
      // The phase that it is taken up in follows.
      Details(at).resolved_at = Details(at).ended_reason = std::optional<std::string>();
      touched_[at.opened_event].ended = false;
      return absl::OkStatus();
    case v1::Event::kPhaseEntered:
      return Entered(at, event.phase_entered());
    case v1::Event::kAgentsMobilized:
      Details(at).agents = std::optional(JoinAgents(event.agents_mobilized()));
      return absl::OkStatus();
    case v1::Event::kTaskAssigned:
      return Assigned(at, event.task_assigned());
    case v1::Event::kTaskSkipped:
      return TaskEnded(at, event.task_skipped().task_id(), v1::TASK_STATE_SKIPPED, event.task_skipped().reason());
    case v1::Event::kTaskSucceeded:
      return Succeeded(at, event.task_succeeded());
    case v1::Event::kAttemptFailed:
      return AttemptFailed(at, event.attempt_failed());
    case v1::Event::kTaskFailed:
      return TaskEnded(at, event.task_failed().task_id(), v1::TASK_STATE_FAILED, event.task_failed().reason());
    case v1::Event::kTaskCancelled:
      return TaskEnded(at, event.task_cancelled().task_id(), v1::TASK_STATE_CANCELLED, event.task_cancelled().reason());
    case v1::Event::kLateResult:
      return Late(at, event.late_result());
    case v1::Event::kEvidenceRecorded:
      return Evidence(at, event.evidence_recorded());
    case v1::Event::kExplanationChosen:
      Details(at).explanation = OrNull(event.explanation_chosen().explanation_id());
      return absl::OkStatus();
    case v1::Event::kApprovalRequested:
      return Asked(at, event.approval_requested());
    case v1::Event::kApprovalGranted:
      return Granted(at, event.approval_granted());
    case v1::Event::kApprovalRejected:
      return Rejected(at, event.approval_rejected());
    case v1::Event::kResourcesLocked:
      Details(at).resources = OrNull(absl::StrJoin(event.resources_locked().resources(), ", "));
      return absl::OkStatus();
    case v1::Event::kResourcesReleased:
      Details(at).resources = std::optional<std::string>();
      return absl::OkStatus();
    case v1::Event::kRecoveryEnded:
      return RecoveryEnded(at, event.recovery_ended());
    case v1::Event::kRollbackRequested:
      return RollbackAsked(at, event.rollback_requested());
    case v1::Event::kPaused:
      Details(at).paused = true;
      return absl::OkStatus();
    case v1::Event::kResumed:
      Details(at).paused = false;
      return absl::OkStatus();
    case v1::Event::kIncidentEscalated:
      return EndedWithout(at, v1::PHASE_ESCALATED, event.incident_escalated().reason());
    case v1::Event::kIncidentCancelled:
      return EndedWithout(at, v1::PHASE_CANCELLED, event.incident_cancelled().reason());
    case v1::Event::kIncidentResolved:
      Resolved(at);
      return absl::OkStatus();
    case v1::Event::kRollbackEnded:  // The actions have it from the task's product.
    case v1::Event::kNoteAdded:      // Only the story has it.
    case v1::Event::kSuspectsNamed:
    case v1::Event::KIND_NOT_SET:
      return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::Status Projector::Flush() {
  OMNIX_RETURN_IF_ERROR(WriteNewTasks());
  for (const auto& [opened_event, last] : touched_) OMNIX_RETURN_IF_ERROR(WriteIncident(opened_event, last));
  touched_.clear();
  return absl::OkStatus();
}

void Projector::Discard() {
  touched_.clear();
  new_tasks_.clear();
}

Projector::Last& Projector::Details(const Context& at) {
  Last& last = touched_[at.opened_event];
  last.has_details = true;
  return last;
}

// The row as it is at the transaction's end: written once.
absl::Status Projector::InsertIncident(int64_t opened_event, const Last& last) {
  const NewIncidentRow& opened = *last.opened;
  return db_.Run(
      "INSERT INTO incidents (opened_event, id, title, severity, phase, opened_at, opened_by, started_at, "
      "budget_until, playbook_hash, system_hash, policy_hash, alerts, alerts_firing, sequence, updated_at) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
      opened_event, opened.id, opened.title, SeverityName(last.severity.value_or(opened.severity)),
      PhaseName(last.phase.value_or(v1::PHASE_DETECTED)), opened.opened_at, opened.opened_by, opened.started_at,
      opened.budget_until, opened.playbook_hash, opened.system_hash, opened.policy_hash,
      last.counts ? static_cast<int64_t>(last.counts->total()) : opened.alerts + last.new_alerts,
      last.counts ? static_cast<int64_t>(last.counts->firing()) : opened.firing, last.sequence, last.time);
}

absl::Status Projector::WriteIncident(int64_t opened_event, const Last& last) {
  if (last.opened) OMNIX_RETURN_IF_ERROR(InsertIncident(opened_event, last));
  if (!last.opened || last.has_details) OMNIX_RETURN_IF_ERROR(UpdateIncident(opened_event, last));
  // By a statement of its own: the others leave the index of open incidents alone.
  if (!last.ended) return absl::OkStatus();
  return db_.Run("UPDATE incidents SET ended = ?2 WHERE opened_event = ?1", opened_event, *last.ended);
}

absl::Status Projector::UpdateIncident(int64_t opened_event, const Last& last) {
  const int64_t new_alerts = last.opened ? 0 : last.new_alerts;
  const auto phase = last.phase ? std::optional<std::string>(PhaseName(*last.phase)) : std::nullopt;
  const auto severity = last.severity ? std::optional<std::string>(SeverityName(*last.severity)) : std::nullopt;
  const auto alerts = last.counts ? std::optional<int64_t>(last.counts->total()) : std::nullopt;
  const auto firing = last.counts ? std::optional<int64_t>(last.counts->firing()) : std::nullopt;
  if (!last.has_details) {
    return db_.Run(
        "UPDATE incidents SET sequence = ?2, updated_at = ?3, phase = coalesce(?4, phase), severity = coalesce(?5, "
        "severity), alerts = coalesce(?7, alerts + ?6), alerts_firing = coalesce(?8, alerts_firing) "
        "WHERE opened_event = ?1",
        opened_event, last.sequence, last.time, phase, severity, new_alerts, alerts, firing);
  }
  const std::optional<std::string> unchanged;
  const auto value = [&](const Changed& changed) -> const std::optional<std::string>& {
    return changed ? *changed : unchanged;
  };
  return db_.Run(
      "UPDATE incidents SET sequence = ?2, updated_at = ?3, phase = coalesce(?4, phase), severity = coalesce(?5, "
      "severity), alerts = coalesce(?7, alerts + ?6), alerts_firing = coalesce(?8, alerts_firing), "
      "paused = coalesce(?9, paused), agents = iif(?10, ?11, agents), cause = iif(?12, ?13, cause), "
      "explanation = iif(?14, ?15, explanation), resources = iif(?16, ?17, resources), "
      "resolved_at = iif(?18, ?19, resolved_at), ended_reason = iif(?20, ?21, ended_reason), "
      "plan_hash = iif(?22, ?23, plan_hash) WHERE opened_event = ?1",
      opened_event, last.sequence, last.time, phase, severity, new_alerts, alerts, firing, last.paused,
      last.agents.has_value(), value(last.agents), last.cause.has_value(), value(last.cause),
      last.explanation.has_value(), value(last.explanation), last.resources.has_value(), value(last.resources),
      last.resolved_at.has_value(), value(last.resolved_at), last.ended_reason.has_value(), value(last.ended_reason),
      last.plan_hash.has_value(), value(last.plan_hash));
}

absl::Status Projector::Opened(const Context& at, const v1::IncidentOpened& event) {
  int alerts = 0;
  int firing = 0;
  for (const v1::Alert& alert : event.alerts()) {
    firing += alert.status() == v1::ALERT_STATUS_RESOLVED ? 0 : 1;
    OMNIX_ASSIGN_OR_RETURN(const bool is_new, PutAlert(at, alert));
    alerts += is_new ? 1 : 0;
  }
  NewIncidentRow& opened = touched_[at.opened_event].opened.emplace();
  opened.id = at.incident;
  opened.title = event.title();
  opened.severity = event.severity();
  opened.opened_at = at.time;
  opened.opened_by = event.by();
  if (event.has_started_at()) opened.started_at = given_times_.Format(event.started_at());
  if (event.has_budget_until()) opened.budget_until = deadlines_.Format(event.budget_until());
  opened.playbook_hash = event.pins().playbook_hash();
  opened.system_hash = event.pins().system_hash();
  opened.policy_hash = event.pins().policy_hash();
  opened.alerts = alerts;
  opened.firing = firing;
  return absl::OkStatus();
}

absl::Status Projector::Entered(const Context& at, const v1::PhaseEntered& event) {
  for (const v1::Task& task : event.tasks()) OMNIX_RETURN_IF_ERROR(AddTask(at, task));
  touched_[at.opened_event].phase = event.phase();
  return absl::OkStatus();
}

void Projector::Resolved(const Context& at) {
  Last& last = Details(at);
  last.resolved_at = std::optional(at.time);
  last.ended_reason = std::optional<std::string>();
  last.ended = true;
  last.phase = v1::PHASE_RESOLVED;
}

absl::Status Projector::EndedWithout(const Context& at, v1::Phase phase, const std::string& reason) {
  Last& last = Details(at);
  last.ended_reason = OrNull(reason);
  last.resolved_at = std::optional<std::string>();
  // Also from Resolved or Cancelled, by a rollback that somebody asks for.
  last.ended = IsClosed(phase);
  last.phase = phase;
  return LapseApprovals(at);
}

}  // namespace omnix
