// Commands about tasks: leases, results, evidence.
#include <algorithm>

#include "common/status.h"
#include "common/time.h"
#include "orchestrator/core/decision.h"
#include "orchestrator/core/effects.h"
#include "orchestrator/core/evolve.h"
#include "orchestrator/core/names.h"

namespace omnix {
namespace {

bool HoldsLease(const v1::Task& task, const v1::LeaseId& lease) {
  return task.state() == v1::TASK_STATE_RUNNING && task.attempt() == lease.attempt() &&
         task.fencing_token() == lease.fencing_token();
}

bool IsRecorded(const v1::Incident& incident, const v1::LeaseId& lease, const std::string& evidence_id) {
  return std::any_of(incident.evidence().begin(), incident.evidence().end(), [&](const v1::Evidence& known) {
    return known.id() == evidence_id && known.task_id() == lease.task_id() && known.attempt() == lease.attempt();
  });
}

// What a product lacks for the orchestrator to act on it; empty: nothing.
std::string FlawOf(const v1::Product& product, const v1::Incident& incident) {
  const v1::Recovery* recovery = CurrentRecovery(incident);
  switch (product.kind_case()) {
    case v1::Product::kPlan:
      if (recovery == nullptr) return "a plan came outside of a recovery";
      if (product.plan().hash().empty()) return "the plan has no hash";
      return "";
    case v1::Product::kApplication:
      if (recovery == nullptr) return "an application came outside of a recovery";
      if (product.application().plan_hash() != recovery->plan().hash()) {
        return "the application is of another plan than the approved one";
      }
      return "";
    default:
      return "";
  }
}

}  // namespace

absl::StatusOr<const v1::Task*> Decision::RunningTask(const v1::LeaseId& lease) const {
  const v1::Task* task = FindTask(incident_, lease.task_id());
  if (task == nullptr) return NotFound("{} has no task '{}'", incident_.id(), lease.task_id());
  if (!HoldsLease(*task, lease)) {
    return FailedPrecondition("{}: attempt {} of {} (token {}) no longer holds the task", incident_.id(),
                              lease.attempt(), lease.task_id(), lease.fencing_token());
  }
  return task;
}

absl::Status Decision::Handle(const command::AssignTask& assign) {
  const v1::Task* task = FindTask(incident_, assign.task_id);
  if (task == nullptr) return NotFound("{} has no task '{}'", incident_.id(), assign.task_id);
  if (!IsReady(incident_, *task)) {
    return FailedPrecondition("{}: task {} is {} and not ready to run", incident_.id(), assign.task_id,
                              TaskStateName(task->state()));
  }
  v1::Event event;
  auto* assigned = event.mutable_task_assigned();
  assigned->set_task_id(assign.task_id);
  assigned->set_attempt(task->attempt() + 1);
  assigned->set_fencing_token(incident_.fencing_token() + 1);
  assigned->set_agent(assign.agent);
  assigned->set_input_json(assign.input_json);
  *assigned->mutable_deadline() = ToProto(now_ + TimeoutOf(task->spec()));
  Emit(std::move(event));
  return absl::OkStatus();
}

absl::Status Decision::Handle(const command::SkipTask& skip) {
  const v1::Task* task = FindTask(incident_, skip.task_id);
  if (task == nullptr) return NotFound("{} has no task '{}'", incident_.id(), skip.task_id);
  if (task->state() != v1::TASK_STATE_WAITING || !IsCurrent(incident_, *task)) {
    return FailedPrecondition("{}: task {} is {} and can't be skipped", incident_.id(), skip.task_id,
                              TaskStateName(task->state()));
  }
  v1::Event event;
  event.mutable_task_skipped()->set_task_id(skip.task_id);
  event.mutable_task_skipped()->set_reason(skip.reason);
  Emit(std::move(event));
  Advance();
  return absl::OkStatus();
}

absl::Status Decision::Handle(const command::FinishTask& finish) {
  const v1::Task* task = FindTask(incident_, finish.lease.task_id());
  if (task == nullptr) return NotFound("{} has no task '{}'", incident_.id(), finish.lease.task_id());
  // A lease is its agent's: what another one says of it is kept for people and changes nothing.
  if (!HoldsLease(*task, finish.lease) || task->agent() != finish.agent) {
    const bool said_twice = task->attempt() == finish.lease.attempt() &&
                            task->fencing_token() == finish.lease.fencing_token() && task->agent() == finish.agent &&
                            (task->state() == v1::TASK_STATE_SUCCEEDED || task->state() == v1::TASK_STATE_FAILED);
    if (said_twice) return absl::OkStatus();
    v1::Event event;
    auto* late = event.mutable_late_result();
    late->set_task_id(finish.lease.task_id());
    late->set_attempt(finish.lease.attempt());
    late->set_fencing_token(finish.lease.fencing_token());
    late->set_agent(finish.agent);
    late->set_summary(finish.product.has_application() ? finish.product.application().summary() : finish.error);
    Emit(std::move(event));
    return absl::OkStatus();
  }
  if (finish.outcome != v1::OUTCOME_SUCCEEDED) {
    const std::string reason = finish.error.empty() ? "the agent gave no reason" : finish.error;
    RetryOrFail(*task, reason, finish.outcome == v1::OUTCOME_FAILED_FINALLY);
    return absl::OkStatus();
  }
  if (const std::string flaw = FlawOf(finish.product, incident_); !flaw.empty()) {
    RetryOrFail(*task, flaw, /*finally=*/true);
    return absl::OkStatus();
  }
  v1::Event event;
  auto* succeeded = event.mutable_task_succeeded();
  succeeded->set_task_id(finish.lease.task_id());
  succeeded->set_attempt(finish.lease.attempt());
  *succeeded->mutable_product() = finish.product;
  Emit(std::move(event));
  Advance();
  return absl::OkStatus();
}

absl::Status Decision::Handle(const command::LoseAttempt& lose) {
  const v1::Task* task = FindTask(incident_, lose.task_id);
  if (task == nullptr) return NotFound("{} has no task '{}'", incident_.id(), lose.task_id);
  if (task->state() != v1::TASK_STATE_RUNNING || task->attempt() != lose.attempt) {
    return FailedPrecondition("{}: attempt {} of {} is not running", incident_.id(), lose.attempt, lose.task_id);
  }
  RetryOrFail(*task, lose.reason, /*finally=*/false);
  return absl::OkStatus();
}

absl::Status Decision::Handle(const command::RecordEvidence& record) {
  OMNIX_RETURN_IF_ERROR(RunningTask(record.lease).status());
  v1::Event event;
  auto* recorded = event.mutable_evidence_recorded();
  recorded->set_task_id(record.lease.task_id());
  for (const auto& evidence : record.evidence) {
    // Evidence is not acknowledged: after a reconnect agents send it again.
    if (IsRecorded(incident_, record.lease, evidence.id())) continue;
    auto* added = recorded->add_evidence();
    *added = evidence;
    added->set_task_id(record.lease.task_id());
    added->set_attempt(record.lease.attempt());
  }
  if (recorded->evidence().empty()) return absl::OkStatus();
  Emit(std::move(event));
  return absl::OkStatus();
}

}  // namespace omnix
