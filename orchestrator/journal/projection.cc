#include "orchestrator/journal/projection.h"

#include <algorithm>

#include "absl/strings/str_join.h"
#include "common/json.h"
#include "common/time.h"
#include "orchestrator/core/names.h"
#include "orchestrator/journal/names.h"

namespace omnix {
namespace {

// Empty text and unset times are NULL in the tables.
std::optional<std::string> OrNull(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<std::string>(text);
}

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

const std::string& TimeText::Format(const google::protobuf::Timestamp& time) {
  constexpr size_t kPrefixBytes = sizeof("2025-09-04T07:14:03") - 1;
  constexpr int32_t kNanosPerMilli = 1'000'000;
  const int32_t milli = time.nanos() / kNanosPerMilli;
  const bool same_second = !prefix_.empty() && time.seconds() == second_;
  if (same_second && milli == milli_) return text_;
  if (!same_second) {
    google::protobuf::Timestamp whole;
    whole.set_seconds(time.seconds());
    const std::string text = FormatTime(whole);
    // A year of more than four digits is written in full and not remembered.
    if (text[kPrefixBytes] != '.') {
      prefix_.clear();
      return text_ = FormatTime(time);
    }
    second_ = time.seconds();
    prefix_ = text.substr(0, kPrefixBytes);
  }
  milli_ = milli;
  return text_ = fmt::format("{}.{:03}Z", prefix_, milli);
}

absl::Status Projector::Apply(int64_t id, int64_t opened_event, const v1::Event& event) {
  const std::string time = times_.Format(event.time());
  if (ChangesIncidentRow(event)) {
    Last& last = touched_[event.incident_id()];
    last.opened_event = opened_event;
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
      touched_[at.incident].counts = event.alert_flapping().counts();
      return absl::OkStatus();
    case v1::Event::kAlertSettled:
      touched_[at.incident].counts = event.alert_settled().counts();
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
      Details(at).ended = false;
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
      return Resolved(at, event.incident_resolved());
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
  for (const auto& [incident, last] : touched_) OMNIX_RETURN_IF_ERROR(WriteIncident(last));
  touched_.clear();
  return absl::OkStatus();
}

void Projector::Discard() {
  touched_.clear();
  new_tasks_.clear();
}

Projector::Last& Projector::Details(const Context& at) {
  Last& last = touched_[at.incident];
  last.has_details = true;
  return last;
}

// The row as it is at the transaction's end: written once.
absl::Status Projector::InsertIncident(const Last& last) {
  const NewIncident& opened = *last.opened;
  return db_.Run(
      "INSERT INTO incidents (opened_event, id, title, severity, phase, opened_at, opened_by, started_at, "
      "budget_until, playbook_hash, system_hash, policy_hash, alerts, alerts_firing, sequence, updated_at) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
      last.opened_event, opened.id, opened.title, SeverityName(last.severity.value_or(opened.severity)),
      PhaseName(last.phase.value_or(v1::PHASE_DETECTED)), opened.opened_at, opened.opened_by, opened.started_at,
      opened.budget_until, opened.playbook_hash, opened.system_hash, opened.policy_hash,
      last.counts ? static_cast<int64_t>(last.counts->total()) : opened.alerts + last.new_alerts,
      last.counts ? static_cast<int64_t>(last.counts->firing()) : opened.firing, last.sequence, last.time);
}

absl::Status Projector::WriteIncident(const Last& last) {
  if (last.opened) {
    OMNIX_RETURN_IF_ERROR(InsertIncident(last));
    if (!last.has_details) return absl::OkStatus();
  }
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
        last.opened_event, last.sequence, last.time, phase, severity, new_alerts, alerts, firing);
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
      "ended = coalesce(?22, ended), plan_hash = iif(?23, ?24, plan_hash) WHERE opened_event = ?1",
      last.opened_event, last.sequence, last.time, phase, severity, new_alerts, alerts, firing, last.paused,
      last.agents.has_value(), value(last.agents), last.cause.has_value(), value(last.cause),
      last.explanation.has_value(), value(last.explanation), last.resources.has_value(), value(last.resources),
      last.resolved_at.has_value(), value(last.resolved_at), last.ended_reason.has_value(), value(last.ended_reason),
      last.ended, last.plan_hash.has_value(), value(last.plan_hash));
}

absl::Status Projector::AddRepeats() {
  return db_.Run(
      "UPDATE alerts SET count = count + c.repeats FROM alert_counts AS c "
      "WHERE c.incident = alerts.incident AND c.fingerprint = alerts.fingerprint");
}

absl::Status Projector::Opened(const Context& at, const v1::IncidentOpened& event) {
  int alerts = 0;
  int firing = 0;
  for (const v1::Alert& alert : event.alerts()) {
    firing += alert.status() == v1::ALERT_STATUS_RESOLVED ? 0 : 1;
    OMNIX_ASSIGN_OR_RETURN(const bool is_new, PutAlert(at, alert));
    alerts += is_new ? 1 : 0;
  }
  NewIncident& opened = touched_[at.incident].opened.emplace();
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
  return AddVisit(at, v1::PHASE_DETECTED, "opened by " + event.by());
}

absl::Status Projector::Attached(const Context& at, const v1::AlertAttached& event) {
  OMNIX_ASSIGN_OR_RETURN(const bool is_new, PutAlert(at, event.alert()));
  Last& last = touched_[at.incident];
  last.severity = event.severity();
  if (event.has_counts()) {
    last.counts = event.counts();
  } else {
    last.new_alerts += is_new ? 1 : 0;
  }
  return absl::OkStatus();
}

void Projector::Counted(const Context& at, v1::Severity severity, const v1::AlertCounts& counts) {
  Last& last = touched_[at.incident];
  last.severity = severity;
  last.counts = counts;
}

// The rows go to the other incident, or where that has the alert already (a split opened it with it), their counts.
absl::Status Projector::Moved(const Context& at, const v1::AlertsMoved& event) {
  Counted(at, event.severity(), event.counts());
  if (event.all()) {
    OMNIX_RETURN_IF_ERROR(
        db_.Run("UPDATE OR IGNORE alerts SET incident = ?2 WHERE incident = ?1", at.incident, event.to()));
    OMNIX_RETURN_IF_ERROR(
        db_.Run("UPDATE alerts SET count = count + (SELECT f.count FROM alerts AS f WHERE f.incident = ?1 AND "
                "f.fingerprint = alerts.fingerprint) WHERE incident = ?2 AND fingerprint IN "
                "(SELECT fingerprint FROM alerts WHERE incident = ?1)",
                at.incident, event.to()));
    return db_.Run("DELETE FROM alerts WHERE incident = ?1", at.incident);
  }
  for (const auto& fingerprint : event.fingerprints()) {
    OMNIX_RETURN_IF_ERROR(
        db_.Run("UPDATE alerts SET count = count - 1 + coalesce((SELECT count FROM alerts WHERE incident = ?1 AND "
                "fingerprint = ?3), 1) WHERE incident = ?2 AND fingerprint = ?3",
                at.incident, event.to(), fingerprint));
    OMNIX_RETURN_IF_ERROR(
        db_.Run("DELETE FROM alerts WHERE incident = ?1 AND fingerprint = ?2", at.incident, fingerprint));
  }
  return absl::OkStatus();
}

absl::Status Projector::Entered(const Context& at, const v1::PhaseEntered& event) {
  for (const v1::Task& task : event.tasks()) OMNIX_RETURN_IF_ERROR(AddTask(at, task));
  return AddVisit(at, event.phase(), event.reason());
}

absl::Status Projector::Assigned(const Context& at, const v1::TaskAssigned& event) {
  const auto deadline = event.has_deadline() ? std::optional(deadlines_.Format(event.deadline())) : std::nullopt;
  if (NewTask* task = FindNewTask(at.incident, event.task_id())) {
    task->state = TaskStateName(v1::TASK_STATE_RUNNING);
    task->agent = event.agent();
    task->attempt = event.attempt();
    task->fencing_token = event.fencing_token();
    if (!task->started_at) task->started_at = at.time;
    task->deadline = deadline;
    return absl::OkStatus();
  }
  return db_.Run(
      "UPDATE tasks SET state = 'running', attempt = ?3, fencing_token = ?4, agent = ?5, started_at = "
      "coalesce(started_at, ?6), "
      "deadline = ?7, not_before = NULL WHERE incident = ?1 AND id = ?2",
      at.incident, event.task_id(), event.attempt(), event.fencing_token(), event.agent(), at.time, deadline);
}

absl::Status Projector::TaskEnded(const Context& at, const std::string& task, v1::TaskState state,
                                  const std::string& reason) {
  OMNIX_RETURN_IF_ERROR(WriteNewTasks());
  return db_.Run(
      "UPDATE tasks SET state = ?3, finished_at = ?4, reason = ?5, deadline = NULL, not_before = NULL "
      "WHERE incident = ?1 AND id = ?2",
      at.incident, task, TaskStateName(state), at.time, OrNull(reason));
}

absl::Status Projector::Succeeded(const Context& at, const v1::TaskSucceeded& event) {
  OMNIX_RETURN_IF_ERROR(TaskEnded(at, event.task_id(), v1::TASK_STATE_SUCCEEDED, ""));
  const v1::Product& product = event.product();
  switch (product.kind_case()) {
    case v1::Product::kDiagnosis:
      Details(at).cause = OrNull(product.diagnosis().summary());
      return absl::OkStatus();
    case v1::Product::kPlan:
      return AddPlan(at, product.plan());
    case v1::Product::kApplication: {
      const v1::Application& application = product.application();
      const char* state = application.needs_attention() ? "needs attention"
                          : application.applied()       ? "applied"
                                                        : "undone";
      return SetActions(at, application.plan_hash(), state);
    }
    case v1::Product::kRollback:
      return SetActions(at, product.rollback().plan_hash(),
                        product.rollback().complete() ? "rolled back" : "needs attention");
    default:
      return absl::OkStatus();
  }
}

absl::Status Projector::AttemptFailed(const Context& at, const v1::AttemptFailed& event) {
  OMNIX_RETURN_IF_ERROR(WriteNewTasks());
  return db_.Run(
      "UPDATE tasks SET state = 'waiting', reason = ?3, not_before = ?4, deadline = NULL "
      "WHERE incident = ?1 AND id = ?2",
      at.incident, event.task_id(), OrNull(event.reason()),
      event.has_not_before() ? std::optional(times_.Format(event.not_before())) : std::nullopt);
}

absl::Status Projector::Late(const Context& at, const v1::LateResult& event) {
  OMNIX_RETURN_IF_ERROR(WriteNewTasks());
  return db_.Run("UPDATE tasks SET late_results = late_results + 1 WHERE incident = ?1 AND id = ?2", at.incident,
                 event.task_id());
}

absl::Status Projector::Evidence(const Context& at, const v1::EvidenceRecorded& event) {
  OMNIX_RETURN_IF_ERROR(WriteNewTasks());
  return db_.Run("UPDATE tasks SET evidence = evidence + ?3 WHERE incident = ?1 AND id = ?2", at.incident,
                 event.task_id(), event.evidence_size());
}

absl::Status Projector::Asked(const Context& at, const v1::ApprovalRequested& event) {
  return db_.Run(
      "INSERT INTO approvals (incident, sequence, plan_hash, state, rule, requested_at, expires_at, reason) "
      "VALUES (?1, ?2, ?3, 'requested', ?4, ?5, ?6, ?7)",
      at.incident, at.sequence, event.plan_hash(), OrNull(event.rule()), at.time,
      event.has_expires_at() ? std::optional(times_.Format(event.expires_at())) : std::nullopt, OrNull(event.reason()));
}

absl::Status Projector::Granted(const Context& at, const v1::ApprovalGranted& event) {
  OMNIX_RETURN_IF_ERROR(Decide(at, event.plan_hash(), "granted", event.by(), event.reason()));
  return SetActions(at, event.plan_hash(), "approved");
}

absl::Status Projector::Rejected(const Context& at, const v1::ApprovalRejected& event) {
  OMNIX_RETURN_IF_ERROR(
      Decide(at, event.plan_hash(), event.forbidden() ? "forbidden" : "rejected", event.by(), event.reason()));
  return SetActions(at, event.plan_hash(), "rejected");
}

absl::Status Projector::RecoveryEnded(const Context& at, const v1::RecoveryEnded& event) {
  // The row may not have the plan yet, where that came in the same transaction.
  const Changed& plan_hash = Details(at).plan_hash;
  OMNIX_RETURN_IF_ERROR(
      db_.Run("UPDATE actions SET outcome = ?2 WHERE incident = ?1 "
              "AND plan_hash = coalesce(?3, (SELECT plan_hash FROM incidents WHERE opened_event = ?4))",
              at.incident, OrNull(event.outcome()), plan_hash.value_or(std::nullopt), at.opened_event));
  return LapseApprovals(at);
}

absl::Status Projector::RollbackAsked(const Context& at, const v1::RollbackRequested& event) {
  for (const v1::Task& task : event.tasks()) OMNIX_RETURN_IF_ERROR(AddTask(at, task));
  return absl::OkStatus();
}

absl::Status Projector::Resolved(const Context& at, const v1::IncidentResolved& event) {
  Details(at).resolved_at = std::optional(at.time);
  Details(at).ended_reason = std::optional<std::string>();
  Details(at).ended = true;
  return AddVisit(at, v1::PHASE_RESOLVED, event.reason());
}

absl::Status Projector::EndedWithout(const Context& at, v1::Phase phase, const std::string& reason) {
  Details(at).ended_reason = OrNull(reason);
  Details(at).resolved_at = std::optional<std::string>();
  if (phase == v1::PHASE_CANCELLED) Details(at).ended = true;
  OMNIX_RETURN_IF_ERROR(LapseApprovals(at));
  return AddVisit(at, phase, reason);
}

absl::Status Projector::AddVisit(const Context& at, v1::Phase phase, const std::string& reason) {
  touched_[at.incident].phase = phase;
  return db_.Run("INSERT INTO visits (event, incident, phase, entered_at, reason) VALUES (?1, ?2, ?3, ?4, ?5)", at.id,
                 at.incident, PhaseName(phase), at.time, OrNull(reason));
}

absl::Status Projector::AddTask(const Context& at, const v1::Task& task) {
  // The same again replaces it.
  if (FindNewTask(at.incident, task.id()) != nullptr) OMNIX_RETURN_IF_ERROR(WriteNewTasks());
  NewTask& added = new_tasks_.emplace_back();
  added.incident = at.incident;
  added.id = task.id();
  added.type = task.spec().type();
  added.state = TaskStateName(task.state());
  added.reason = OrNull(task.reason());
  return absl::OkStatus();
}

Projector::NewTask* Projector::FindNewTask(const std::string& incident, const std::string& id) {
  // The latest first: it is assigned right after it came.
  const auto found = std::find_if(new_tasks_.rbegin(), new_tasks_.rend(),
                                  [&](const NewTask& task) { return task.id == id && task.incident == incident; });
  return found == new_tasks_.rend() ? nullptr : &*found;
}

absl::Status Projector::WriteNewTasks() {
  for (const NewTask& task : new_tasks_) {
    OMNIX_RETURN_IF_ERROR(db_.Run(
        "INSERT OR REPLACE INTO tasks (incident, id, type, state, agent, attempt, fencing_token, started_at, deadline, "
        "reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        task.incident, task.id, task.type, task.state, task.agent, task.attempt, task.fencing_token, task.started_at,
        task.deadline, task.reason));
  }
  new_tasks_.clear();
  return absl::OkStatus();
}

absl::StatusOr<bool> Projector::PutAlert(const Context& at, const v1::Alert& alert) {
  const auto time = [&](bool has, const google::protobuf::Timestamp& when) {
    return has ? std::optional(given_times_.Format(when)) : std::nullopt;
  };
  const auto write = [&](const char* sql) {
    return db_.Run(sql, at.id, at.incident, alert.fingerprint(), alert.title(), SeverityName(alert.severity()),
                   AlertStatusName(alert.status()), alert.subject(), alert.source(),
                   time(alert.has_starts_at(), alert.starts_at()), time(alert.has_ends_at(), alert.ends_at()),
                   alert.has_received_at() ? std::optional(times_.Format(alert.received_at())) : std::nullopt);
  };
  // Not one statement with ON CONFLICT DO UPDATE: SQLite would keep every page that it touches until its end.
  OMNIX_RETURN_IF_ERROR(
      write("INSERT OR IGNORE INTO alerts (event, incident, fingerprint, title, severity, status, subject, source, "
            "starts_at, ends_at, received_at, count) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 1)"));
  if (db_.changes() > 0) return true;
  OMNIX_RETURN_IF_ERROR(
      write("UPDATE alerts SET event = ?1, title = ?4, severity = ?5, status = ?6, subject = ?7, source = ?8, "
            "starts_at = ?9, ends_at = ?10, received_at = ?11, count = count + 1 "
            "WHERE incident = ?2 AND fingerprint = ?3"));
  return false;
}

absl::Status Projector::AddPlan(const Context& at, const v1::Plan& plan) {
  Details(at).plan_hash = OrNull(plan.hash());
  int number = 0;
  for (const v1::Action& action : plan.actions()) {
    OMNIX_RETURN_IF_ERROR(
        db_.Run("INSERT OR REPLACE INTO actions (incident, plan_hash, number, id, kind, component, description, risk, "
                "state, planned_at, changed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'planned', ?9, ?9)",
                at.incident, plan.hash(), ++number, action.id(), action.kind(), action.component(),
                action.description(), RiskName(plan.risk()), at.time));
  }
  return absl::OkStatus();
}

absl::Status Projector::SetActions(const Context& at, const std::string& plan_hash, const std::string& state) {
  return db_.Run("UPDATE actions SET state = ?3, changed_at = ?4 WHERE incident = ?1 AND plan_hash = ?2", at.incident,
                 plan_hash, state, at.time);
}

absl::Status Projector::Decide(const Context& at, const std::string& plan_hash, const std::string& state,
                               const std::string& by, const std::string& reason) {
  OMNIX_RETURN_IF_ERROR(
      db_.Run("UPDATE approvals SET state = ?3, decided_at = ?4, decided_by = ?5, reason = coalesce(?6, reason) "
              "WHERE incident = ?1 AND plan_hash = ?2 AND state = 'requested'",
              at.incident, plan_hash, state, at.time, OrNull(by), OrNull(reason)));
  if (db_.changes() > 0) return absl::OkStatus();
  // Decided without asking a person: by the policy.
  return db_.Run(
      "INSERT INTO approvals (incident, sequence, plan_hash, state, decided_at, decided_by, reason) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
      at.incident, at.sequence, plan_hash, state, at.time, OrNull(by), OrNull(reason));
}

absl::Status Projector::LapseApprovals(const Context& at) {
  return db_.Run("UPDATE approvals SET state = 'lapsed', decided_at = ?2 WHERE incident = ?1 AND state = 'requested'",
                 at.incident, at.time);
}

}  // namespace omnix
