#include "orchestrator/core/effects.h"

#include <algorithm>
#include <set>

#include "common/time.h"
#include "orchestrator/core/decision.h"
#include "orchestrator/core/evolve.h"
#include "orchestrator/core/names.h"

namespace omnix {
namespace {

bool NeedsEnded(const v1::Incident& incident, const v1::Task& task) {
  return std::all_of(task.spec().needs().begin(), task.spec().needs().end(), [&](const std::string& need) {
    return std::none_of(incident.tasks().begin(), incident.tasks().end(), [&](const v1::Task& other) {
      return other.spec().name() == need && IsCurrent(incident, other) && !HasEnded(other.state());
    });
  });
}

const v1::Recovery* LastRecovery(const v1::Incident& incident) {
  return incident.recoveries().empty() ? nullptr : &incident.recoveries(incident.recoveries_size() - 1);
}

bool HoldsResources(const v1::Incident& incident, const v1::Plan& plan) {
  return plan.resources().empty() || !incident.resources().empty();
}

std::vector<std::string> TaskTypes(const v1::Playbook& playbook) {
  std::set<std::string> types;
  for (const auto* specs : {&playbook.investigating(), &playbook.recovering(), &playbook.validating(),
                            &playbook.rollback(), &playbook.documenting()}) {
    for (const auto& spec : *specs) types.insert(spec.type());
  }
  return {types.begin(), types.end()};
}

void AddTaskEffects(const v1::Incident& incident, absl::Time now, Effects& effects) {
  for (const auto& task : incident.tasks()) {
    if (task.state() == v1::TASK_STATE_RUNNING) {
      effects.running_tasks.push_back(task.id());
      effects.timers.push_back(
          {TimerKind::kAttempt, FromProto(task.deadline()), task.id(), task.attempt(), TimeoutOf(task.spec())});
    } else if (task.state() == v1::TASK_STATE_WAITING && !incident.paused() && IsReady(incident, task)) {
      if (task.has_not_before() && FromProto(task.not_before()) > now) {
        effects.timers.push_back(
            {TimerKind::kRetry, FromProto(task.not_before()), task.id(), task.attempt(), kLongestRetryWait});
      } else {
        effects.ready_tasks.push_back(task.id());
      }
    }
  }
}

void AddApprovalEffects(const v1::Incident& incident, Effects& effects) {
  const v1::Recovery* recovery = CurrentRecovery(incident);
  if (recovery == nullptr || incident.phase() != v1::PHASE_RECOVERING) return;
  const auto& approval = recovery->approval();
  if (approval.state() == v1::APPROVAL_STATE_UNDECIDED && !incident.paused()) effects.judge_plan = approval.plan_hash();
  if (approval.state() == v1::APPROVAL_STATE_REQUESTED) {
    effects.timers.push_back({TimerKind::kApproval, FromProto(approval.expires_at()), approval.plan_hash(), 0,
                              absl::Milliseconds(incident.limits().approval_timeout_ms())});
  }
}

}  // namespace

bool IsReady(const v1::Incident& incident, const v1::Task& task) {
  return task.state() == v1::TASK_STATE_WAITING && WhyNotReady(incident, task).empty();
}

std::string WhyNotReady(const v1::Incident& incident, const v1::Task& task) {
  if (!IsCurrent(incident, task)) return "it belongs to an earlier phase";
  if (!NeedsEnded(incident, task)) return "the tasks that it needs";
  if (!task.spec().approval()) return "";
  const v1::Recovery* recovery = LastRecovery(incident);
  if (recovery == nullptr || !recovery->has_plan()) return "a plan";
  if (recovery->approval().state() != v1::APPROVAL_STATE_GRANTED) {
    return "approval of plan " + recovery->plan().hash().substr(0, 12);
  }
  if (!HoldsResources(incident, recovery->plan())) return "resources that another incident holds";
  return "";
}

const v1::Plan* WantsResources(const v1::Incident& incident) {
  if (incident.phase() != v1::PHASE_RECOVERING && incident.rollback_by().empty()) return nullptr;
  const v1::Recovery* recovery = LastRecovery(incident);
  if (recovery == nullptr || recovery->approval().state() != v1::APPROVAL_STATE_GRANTED) return nullptr;
  if (HoldsResources(incident, recovery->plan())) return nullptr;
  const bool task_waits = std::any_of(incident.tasks().begin(), incident.tasks().end(), [&](const v1::Task& task) {
    return task.state() == v1::TASK_STATE_WAITING && task.spec().approval() && IsCurrent(incident, task);
  });
  return task_waits ? &recovery->plan() : nullptr;
}

std::vector<std::string> RollCallOf(const v1::Incident& incident, const v1::Playbook& playbook) {
  if (incident.phase() != v1::PHASE_MOBILIZING || incident.paused()) return {};
  return TaskTypes(playbook);
}

Effects DeriveEffects(const v1::Incident& incident, const v1::Playbook& playbook, absl::Time now) {
  Effects effects;
  if (incident.phase() == v1::PHASE_UNSPECIFIED || IsClosed(incident.phase())) return effects;
  effects.roll_call = RollCallOf(incident, playbook);
  if (incident.phase() == v1::PHASE_MOBILIZING && !incident.paused()) {
    const absl::Time entered = FromProto(incident.visits(incident.visits_size() - 1).entered_at());
    const absl::Duration timeout = absl::Milliseconds(incident.limits().mobilize_timeout_ms());
    effects.timers.push_back({TimerKind::kRollCall, entered + timeout, "", 0, timeout});
  }
  AddTaskEffects(incident, now, effects);
  AddApprovalEffects(incident, effects);
  effects.lock_resources = !incident.paused() && WantsResources(incident) != nullptr;
  for (const auto& flapping : incident.flapping()) {
    const absl::Duration quiet = FromProto(flapping.quiet());
    effects.timers.push_back(
        {TimerKind::kSettle, FromProto(flapping.last_change_at()) + quiet, flapping.fingerprint(), 0, quiet});
  }
  if (incident.phase() != v1::PHASE_ESCALATED) {
    effects.timers.push_back({TimerKind::kBudget, FromProto(incident.budget_until()), "", 0, BudgetOf(incident)});
  }
  return effects;
}

}  // namespace omnix
