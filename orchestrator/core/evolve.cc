#include "orchestrator/core/evolve.h"

#include <algorithm>

#include "common/time.h"
#include "orchestrator/core/decision.h"
#include "orchestrator/core/evolve_alerts.h"

namespace omnix {
namespace {

v1::Task* MutableTask(v1::Incident& incident, const std::string& task_id) {
  // The task that an event speaks of is nearly always among the last.
  for (int i = incident.tasks_size() - 1; i >= 0; --i) {
    if (incident.tasks(i).id() == task_id) return incident.mutable_tasks(i);
  }
  return nullptr;
}

v1::Recovery* LastRecovery(v1::Incident& incident) {
  return incident.recoveries().empty() ? nullptr : incident.mutable_recoveries(incident.recoveries_size() - 1);
}

void EnterPhase(v1::Incident& incident, v1::Phase phase, const std::string& reason, const v1::Event& event) {
  if (!incident.visits().empty()) {
    *incident.mutable_visits(incident.visits_size() - 1)->mutable_left_at() = event.time();
  }
  auto* visit = incident.add_visits();
  visit->set_phase(phase);
  visit->set_reason(reason);
  *visit->mutable_entered_at() = event.time();
  incident.set_phase(phase);
}

void EndTask(v1::Incident& incident, const std::string& task_id, v1::TaskState state, const std::string& reason,
             const v1::Event& event) {
  v1::Task* task = MutableTask(incident, task_id);
  if (task == nullptr) return;
  task->set_state(state);
  task->set_reason(reason);
  *task->mutable_finished_at() = event.time();
  task->clear_deadline();
  task->clear_not_before();
}

void TakeProduct(v1::Incident& incident, v1::Task& task, const v1::Product& product) {
  task.set_output_json(product.output_json());
  v1::Recovery* recovery = LastRecovery(incident);
  switch (product.kind_case()) {
    case v1::Product::kDiagnosis:
      *incident.mutable_diagnosis() = product.diagnosis();
      break;
    case v1::Product::kReadiness:
      *incident.mutable_readiness() = product.readiness();
      break;
    case v1::Product::kDocument:
      *incident.mutable_document() = product.document();
      break;
    case v1::Product::kPlan:
      if (recovery == nullptr) break;
      *recovery->mutable_plan() = product.plan();
      recovery->mutable_approval()->set_state(v1::APPROVAL_STATE_UNDECIDED);
      recovery->mutable_approval()->set_plan_hash(product.plan().hash());
      break;
    case v1::Product::kApplication:
      if (recovery != nullptr) *recovery->mutable_application() = product.application();
      break;
    case v1::Product::kRollback:
      if (recovery != nullptr) *recovery->mutable_rollback() = product.rollback();
      break;
    case v1::Product::kVerdict:
      if (recovery != nullptr) *recovery->mutable_verdict() = product.verdict();
      task.set_verdict_failed(!product.verdict().passed());
      break;
    case v1::Product::KIND_NOT_SET:
      break;
  }
}

void Apply(v1::Incident& incident, const v1::Event& event, const v1::IncidentOpened& opened) {
  incident.set_id(event.incident_id());
  incident.set_title(opened.title());
  incident.set_severity(opened.severity());
  *incident.mutable_pins() = opened.pins();
  *incident.mutable_limits() = opened.limits();
  *incident.mutable_opened_at() = event.time();
  *incident.mutable_started_at() = opened.started_at();
  *incident.mutable_budget_until() = opened.budget_until();
  ApplyAlerts(incident, event, opened);
  EnterPhase(incident, v1::PHASE_DETECTED, "opened by " + opened.by(), event);
}

void Apply(v1::Incident& incident, const v1::Event& event, const v1::PhaseEntered& entered) {
  // An operator takes it up again: with a budget that is spent it would escalate at once.
  if (incident.phase() == v1::PHASE_ESCALATED) {
    *incident.mutable_budget_until() = ToProto(FromProto(event.time()) + BudgetOf(incident));
  }
  // Its fix was validated, and the investigation is about what came after it.
  const bool ended_well = incident.phase() == v1::PHASE_VALIDATING || incident.phase() == v1::PHASE_DOCUMENTING;
  if (v1::Recovery* recovery = LastRecovery(incident);
      recovery != nullptr && ended_well && entered.phase() == v1::PHASE_INVESTIGATING) {
    recovery->set_kept(true);
  }
  EnterPhase(incident, entered.phase(), entered.reason(), event);
  for (const auto& task : entered.tasks()) *incident.add_tasks() = task;
  // A new investigation starts afresh: what it proposes may be tried, whatever failed before it.
  if (entered.phase() == v1::PHASE_INVESTIGATING) incident.clear_spent_explanation_ids();
  if (entered.phase() == v1::PHASE_RECOVERING) {
    auto* recovery = incident.add_recoveries();
    recovery->set_number(static_cast<uint32_t>(incident.recoveries_size()));
    recovery->set_explanation_id(incident.explanation_id());
  }
}

void Apply(v1::Incident& incident, const v1::Event&, const v1::AgentsMobilized& mobilized) {
  *incident.mutable_roster() = mobilized.roster();
}

void Apply(v1::Incident& incident, const v1::Event& event, const v1::TaskAssigned& assigned) {
  incident.set_fencing_token(std::max(incident.fencing_token(), assigned.fencing_token()));
  v1::Task* task = MutableTask(incident, assigned.task_id());
  if (task == nullptr) return;
  task->set_state(v1::TASK_STATE_RUNNING);
  task->set_attempt(assigned.attempt());
  task->set_fencing_token(assigned.fencing_token());
  task->set_agent(assigned.agent());
  if (!task->has_started_at()) *task->mutable_started_at() = event.time();
  *task->mutable_deadline() = assigned.deadline();
  task->clear_not_before();
}

void Apply(v1::Incident& incident, const v1::Event& event, const v1::TaskSkipped& skipped) {
  EndTask(incident, skipped.task_id(), v1::TASK_STATE_SKIPPED, skipped.reason(), event);
}

void Apply(v1::Incident& incident, const v1::Event& event, const v1::TaskSucceeded& succeeded) {
  EndTask(incident, succeeded.task_id(), v1::TASK_STATE_SUCCEEDED, "", event);
  if (v1::Task* task = MutableTask(incident, succeeded.task_id())) TakeProduct(incident, *task, succeeded.product());
}

void Apply(v1::Incident& incident, const v1::Event&, const v1::AttemptFailed& failed) {
  v1::Task* task = MutableTask(incident, failed.task_id());
  if (task == nullptr) return;
  task->set_state(v1::TASK_STATE_WAITING);
  task->set_reason(failed.reason());
  task->clear_deadline();
  *task->mutable_not_before() = failed.not_before();
}

void Apply(v1::Incident& incident, const v1::Event& event, const v1::TaskFailed& failed) {
  EndTask(incident, failed.task_id(), v1::TASK_STATE_FAILED, failed.reason(), event);
}

void Apply(v1::Incident& incident, const v1::Event& event, const v1::TaskCancelled& cancelled) {
  EndTask(incident, cancelled.task_id(), v1::TASK_STATE_CANCELLED, cancelled.reason(), event);
}

void Apply(v1::Incident&, const v1::Event&, const v1::LateResult&) {}

void Apply(v1::Incident& incident, const v1::Event&, const v1::EvidenceRecorded& recorded) {
  for (const auto& evidence : recorded.evidence()) {
    if (incident.evidence_size() >= kMaxEvidenceInState) return;
    *incident.add_evidence() = evidence;
  }
}

void Apply(v1::Incident& incident, const v1::Event&, const v1::ExplanationChosen& chosen) {
  incident.set_explanation_id(chosen.explanation_id());
}

void Apply(v1::Incident& incident, const v1::Event& event, const v1::ApprovalRequested& requested) {
  v1::Recovery* recovery = LastRecovery(incident);
  if (recovery == nullptr) return;
  auto* approval = recovery->mutable_approval();
  approval->set_state(v1::APPROVAL_STATE_REQUESTED);
  approval->set_reason(requested.reason());
  *approval->mutable_requested_at() = event.time();
  *approval->mutable_expires_at() = requested.expires_at();
}

void Apply(v1::Incident& incident, const v1::Event& event, const v1::ApprovalGranted& granted) {
  v1::Recovery* recovery = LastRecovery(incident);
  if (recovery == nullptr) return;
  auto* approval = recovery->mutable_approval();
  approval->set_state(v1::APPROVAL_STATE_GRANTED);
  approval->set_by(granted.by());
  approval->set_reason(granted.reason());
  *approval->mutable_decided_at() = event.time();
  approval->clear_expires_at();
}

void Apply(v1::Incident& incident, const v1::Event& event, const v1::ApprovalRejected& rejected) {
  v1::Recovery* recovery = LastRecovery(incident);
  if (recovery == nullptr) return;
  auto* approval = recovery->mutable_approval();
  approval->set_state(rejected.forbidden() ? v1::APPROVAL_STATE_FORBIDDEN : v1::APPROVAL_STATE_REJECTED);
  approval->set_by(rejected.by());
  approval->set_reason(rejected.reason());
  *approval->mutable_decided_at() = event.time();
  approval->clear_expires_at();
}

void Apply(v1::Incident& incident, const v1::Event&, const v1::ResourcesLocked& locked) {
  *incident.mutable_resources() = locked.resources();
}

void Apply(v1::Incident& incident, const v1::Event&, const v1::ResourcesReleased&) { incident.clear_resources(); }

void Apply(v1::Incident& incident, const v1::Event&, const v1::RecoveryEnded& ended) {
  v1::Recovery* recovery = LastRecovery(incident);
  if (recovery == nullptr) return;
  recovery->set_outcome(ended.outcome());
  if (ended.validated()) return;
  incident.add_spent_explanation_ids(recovery->explanation_id());
  incident.clear_explanation_id();
}

void Apply(v1::Incident& incident, const v1::Event&, const v1::RollbackRequested& requested) {
  incident.set_rollback_by(requested.by());
  if (v1::Recovery* recovery = LastRecovery(incident)) recovery->set_kept(false);
  for (const auto& task : requested.tasks()) *incident.add_tasks() = task;
}

void Apply(v1::Incident& incident, const v1::Event&, const v1::RollbackEnded&) { incident.clear_rollback_by(); }

void Apply(v1::Incident& incident, const v1::Event&, const v1::Paused&) { incident.set_paused(true); }

void Apply(v1::Incident& incident, const v1::Event&, const v1::Resumed&) { incident.set_paused(false); }

void Apply(v1::Incident& incident, const v1::Event&, const v1::NoteAdded& added) {
  *incident.add_notes() = added.note();
}

void Apply(v1::Incident& incident, const v1::Event& event, const v1::IncidentEscalated& escalated) {
  incident.set_ended_reason(escalated.reason());
  incident.clear_resolved_at();
  EnterPhase(incident, v1::PHASE_ESCALATED, escalated.reason(), event);
}

void Apply(v1::Incident& incident, const v1::Event& event, const v1::IncidentCancelled& cancelled) {
  incident.set_ended_reason(cancelled.reason());
  EnterPhase(incident, v1::PHASE_CANCELLED, cancelled.reason(), event);
}

void Apply(v1::Incident& incident, const v1::Event& event, const v1::IncidentResolved& resolved) {
  incident.clear_ended_reason();
  *incident.mutable_resolved_at() = event.time();
  EnterPhase(incident, v1::PHASE_RESOLVED, resolved.reason(), event);
}

// The phase that it is taken up in follows.
void Apply(v1::Incident& incident, const v1::Event&, const v1::IncidentReopened& reopened) {
  incident.clear_ended_reason();
  incident.clear_resolved_at();
  *incident.mutable_budget_until() = reopened.budget_until();
  incident.set_reopened(incident.reopened() + 1);
  if (v1::Recovery* recovery = LastRecovery(incident)) recovery->set_kept(true);
}

void Apply(v1::Incident& incident, const v1::Event&, const v1::SuspectsNamed& named) {
  *incident.mutable_suspects() = named.suspects();
}

void ApplyKind(v1::Incident& incident, const v1::Event& event) {
  switch (event.kind_case()) {
#define OMNIX_EVENT(Case, field) \
  case v1::Event::Case:          \
    return Apply(incident, event, event.field());
    OMNIX_EVENT(kIncidentOpened, incident_opened)
    OMNIX_EVENT(kPhaseEntered, phase_entered)
    OMNIX_EVENT(kAgentsMobilized, agents_mobilized)
    OMNIX_EVENT(kTaskAssigned, task_assigned)
    OMNIX_EVENT(kTaskSkipped, task_skipped)
    OMNIX_EVENT(kTaskSucceeded, task_succeeded)
    OMNIX_EVENT(kAttemptFailed, attempt_failed)
    OMNIX_EVENT(kTaskFailed, task_failed)
    OMNIX_EVENT(kTaskCancelled, task_cancelled)
    OMNIX_EVENT(kLateResult, late_result)
    OMNIX_EVENT(kEvidenceRecorded, evidence_recorded)
    OMNIX_EVENT(kExplanationChosen, explanation_chosen)
    OMNIX_EVENT(kApprovalRequested, approval_requested)
    OMNIX_EVENT(kApprovalGranted, approval_granted)
    OMNIX_EVENT(kApprovalRejected, approval_rejected)
    OMNIX_EVENT(kResourcesLocked, resources_locked)
    OMNIX_EVENT(kResourcesReleased, resources_released)
    OMNIX_EVENT(kRecoveryEnded, recovery_ended)
    OMNIX_EVENT(kRollbackRequested, rollback_requested)
    OMNIX_EVENT(kRollbackEnded, rollback_ended)
    OMNIX_EVENT(kPaused, paused)
    OMNIX_EVENT(kResumed, resumed)
    OMNIX_EVENT(kNoteAdded, note_added)
    OMNIX_EVENT(kIncidentEscalated, incident_escalated)
    OMNIX_EVENT(kIncidentCancelled, incident_cancelled)
    OMNIX_EVENT(kIncidentResolved, incident_resolved)
    OMNIX_EVENT(kIncidentReopened, incident_reopened)
    OMNIX_EVENT(kSuspectsNamed, suspects_named)
#undef OMNIX_EVENT
#define OMNIX_ALERT_EVENT(Case, field) \
  case v1::Event::Case:                \
    return ApplyAlerts(incident, event, event.field());
    OMNIX_ALERT_EVENT(kAlertAttached, alert_attached)
    OMNIX_ALERT_EVENT(kAlertFlapping, alert_flapping)
    OMNIX_ALERT_EVENT(kAlertSettled, alert_settled)
    OMNIX_ALERT_EVENT(kAlertsTaken, alerts_taken)
    OMNIX_ALERT_EVENT(kAlertsMoved, alerts_moved)
#undef OMNIX_ALERT_EVENT
    case v1::Event::KIND_NOT_SET:
      return;
  }
}

}  // namespace

void Evolve(v1::Incident& incident, const v1::Event& event) {
  ApplyKind(incident, event);
  incident.set_sequence(event.sequence());
  *incident.mutable_updated_at() = event.time();
}

const v1::Task* FindTask(const v1::Incident& incident, const std::string& task_id) {
  for (int i = incident.tasks_size() - 1; i >= 0; --i) {
    if (incident.tasks(i).id() == task_id) return &incident.tasks(i);
  }
  return nullptr;
}

const v1::Recovery* CurrentRecovery(const v1::Incident& incident) {
  if (incident.recoveries().empty()) return nullptr;
  const auto& last = incident.recoveries(incident.recoveries_size() - 1);
  return last.outcome().empty() ? &last : nullptr;
}

}  // namespace omnix
