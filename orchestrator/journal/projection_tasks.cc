// The table tasks.
#include <algorithm>

#include "orchestrator/core/names.h"
#include "orchestrator/journal/names.h"
#include "orchestrator/journal/projection.h"

namespace omnix {

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

absl::Status Projector::RollbackAsked(const Context& at, const v1::RollbackRequested& event) {
  for (const v1::Task& task : event.tasks()) OMNIX_RETURN_IF_ERROR(AddTask(at, task));
  return absl::OkStatus();
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

}  // namespace omnix
