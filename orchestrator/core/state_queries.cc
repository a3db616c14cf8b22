#include <algorithm>

#include "common/time.h"
#include "orchestrator/core/decision.h"
#include "orchestrator/core/evolve.h"
#include "orchestrator/core/names.h"

namespace omnix {
namespace {

constexpr absl::Duration kDefaultTimeout = absl::Minutes(2);

// Tasks of one visit stand together at the end of the list; a rollback's tasks come after those of the phase that it
// interrupts.
std::string CurrentPrefix(const v1::Incident& incident) {
  if (incident.tasks().empty()) return "";
  const std::string& id = incident.tasks(incident.tasks_size() - 1).id();
  return id.substr(0, id.find('/') + 1);
}

bool PhaseHasTasks(v1::Phase phase) {
  return phase == v1::PHASE_INVESTIGATING || phase == v1::PHASE_RECOVERING || phase == v1::PHASE_VALIDATING ||
         phase == v1::PHASE_DOCUMENTING;
}

}  // namespace

absl::Duration TimeoutOf(const v1::TaskSpec& spec) { return OrDefault(spec.timeout(), kDefaultTimeout); }

absl::Duration BudgetOf(const v1::Incident& incident) {
  auto begun = incident.opened_at();
  for (int i = 1; i < incident.visits_size(); ++i) {
    const v1::Phase before = incident.visits(i - 1).phase();
    const bool taken_up =
        (before == v1::PHASE_ESCALATED || IsClosed(before)) && incident.visits(i).phase() != v1::PHASE_ESCALATED;
    if (taken_up) begun = incident.visits(i).entered_at();
  }
  return FromProto(incident.budget_until()) - FromProto(begun);
}

bool IsCurrent(const v1::Incident& incident, const v1::Task& task) {
  if (incident.rollback_by().empty() && !PhaseHasTasks(incident.phase())) return false;
  const std::string prefix = CurrentPrefix(incident);
  return !prefix.empty() && task.id().compare(0, prefix.size(), prefix) == 0;
}

bool CurrentTasksEnded(const v1::Incident& incident) {
  return std::all_of(incident.tasks().begin(), incident.tasks().end(),
                     [&](const v1::Task& task) { return HasEnded(task.state()) || !IsCurrent(incident, task); });
}

const v1::Task* FailedTask(const v1::Incident& incident) {
  for (const auto& task : incident.tasks()) {
    if (task.state() == v1::TASK_STATE_FAILED && !task.spec().optional() && IsCurrent(incident, task)) return &task;
  }
  return nullptr;
}

bool MayHaveChangedTheWorld(const v1::Incident& incident) {
  return CanBeRolledBack(incident) && !incident.recoveries(incident.recoveries_size() - 1).kept();
}

bool CanBeRolledBack(const v1::Incident& incident) {
  if (incident.recoveries().empty()) return false;
  const auto& recovery = incident.recoveries(incident.recoveries_size() - 1);
  if (recovery.rollback().complete()) return false;
  if (recovery.has_application()) return recovery.application().applied() || recovery.application().needs_attention();
  if (recovery.approval().state() != v1::APPROVAL_STATE_GRANTED) return false;
  const std::string prefix = "recovering-" + std::to_string(recovery.number()) + "/";
  return std::any_of(incident.tasks().begin(), incident.tasks().end(), [&](const v1::Task& task) {
    return task.spec().approval() && task.attempt() > 0 && task.id().compare(0, prefix.size(), prefix) == 0;
  });
}

uint32_t RecoveriesTried(const v1::Incident& incident) {
  uint32_t tried = 0;
  for (const auto& visit : incident.visits()) {
    if (visit.phase() == v1::PHASE_RECOVERING) ++tried;
    if (visit.phase() == v1::PHASE_ESCALATED || IsClosed(visit.phase())) tried = 0;
  }
  return tried;
}

const v1::Explanation* NextExplanation(const v1::Incident& incident) {
  const auto& spent = incident.spent_explanation_ids();
  for (const auto& explanation : incident.diagnosis().explanations()) {
    if (std::find(spent.begin(), spent.end(), explanation.id()) == spent.end()) return &explanation;
  }
  return nullptr;
}

}  // namespace omnix
