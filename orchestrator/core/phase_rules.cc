// What follows once the tasks of a phase have ended: the arrows of the state machine (docs/architecture.md has them as
// a table).
#include <algorithm>

#include "common/status.h"
#include "common/time.h"
#include "orchestrator/core/decision.h"
#include "orchestrator/core/evolve.h"
#include "orchestrator/core/evolve_alerts.h"
#include "orchestrator/core/names.h"

namespace omnix {
namespace {

constexpr absl::Duration kDefaultBackoff = absl::Seconds(1);
constexpr uint32_t kDefaultAttempts = 3;

const google::protobuf::RepeatedPtrField<v1::TaskSpec>& SpecsOf(const v1::Playbook& playbook, v1::Phase phase) {
  static const google::protobuf::RepeatedPtrField<v1::TaskSpec> kNone;
  switch (phase) {
    case v1::PHASE_INVESTIGATING:
      return playbook.investigating();
    case v1::PHASE_RECOVERING:
      return playbook.recovering();
    case v1::PHASE_VALIDATING:
      return playbook.validating();
    case v1::PHASE_DOCUMENTING:
      return playbook.documenting();
    default:
      return kNone;
  }
}

std::vector<v1::Task> TasksFromSpecs(const google::protobuf::RepeatedPtrField<v1::TaskSpec>& specs,
                                     const std::string& id_prefix) {
  std::vector<v1::Task> tasks;
  for (const auto& spec : specs) {
    v1::Task task;
    task.set_id(id_prefix + spec.name());
    task.set_state(v1::TASK_STATE_WAITING);
    *task.mutable_spec() = spec;
    tasks.push_back(std::move(task));
  }
  return tasks;
}

std::string LowerCase(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

}  // namespace

std::vector<v1::Task> Decision::MakeTasks(v1::Phase phase, const std::string& id_prefix) const {
  return TasksFromSpecs(SpecsOf(playbook_, phase), id_prefix);
}

void Decision::EnterPhase(v1::Phase phase, const std::string& reason) {
  const auto visit = 1 + std::count_if(incident_.visits().begin(), incident_.visits().end(),
                                       [&](const v1::PhaseVisit& v) { return v.phase() == phase; });
  v1::Event event;
  auto* entered = event.mutable_phase_entered();
  entered->set_phase(phase);
  entered->set_reason(reason);
  for (auto& task : MakeTasks(phase, fmt::format("{}-{}/", LowerCase(PhaseName(phase)), visit))) {
    *entered->add_tasks() = std::move(task);
  }
  Emit(std::move(event));
  // A phase without tasks is over at once.
  if (SpecsOf(playbook_, phase).empty()) Advance();
}

void Decision::Advance() {
  if (!CurrentTasksEnded(incident_)) return;
  if (!incident_.rollback_by().empty()) return AfterRollback();
  switch (incident_.phase()) {
    case v1::PHASE_INVESTIGATING:
      return AfterInvestigating();
    case v1::PHASE_RECOVERING:
      return AfterRecovering();
    case v1::PHASE_VALIDATING:
      return AfterValidating();
    case v1::PHASE_DOCUMENTING: {
      if (const std::string again = WhatFiresAgain(); !again.empty()) return InvestigateAgain(again);
      const v1::Task* failed = FailedTask(incident_);
      v1::Event event;
      // The system works again: a report that could not be written doesn't make the incident worse, but it is said.
      event.mutable_incident_resolved()->set_reason(
          failed == nullptr ? "validated and documented"
                            : fmt::format("validated; {} failed: {}", failed->spec().type(), failed->reason()));
      return Emit(std::move(event));
    }
    default:
      return;
  }
}

void Decision::AfterInvestigating() {
  if (const v1::Task* failed = FailedTask(incident_)) {
    return EscalateWith(fmt::format("{} failed: {}", failed->spec().type(), failed->reason()), "orchestrator");
  }
  if (!incident_.has_diagnosis()) return EnterPhase(v1::PHASE_RECOVERING, "investigated");
  if (incident_.diagnosis().nothing_wrong()) {
    return EnterPhase(v1::PHASE_VALIDATING, "nothing is wrong any more; checked again");
  }
  EnterNextRecovery("");
}

void Decision::EnterNextRecovery(const std::string& why_not_the_former) {
  const v1::Explanation* next = NextExplanation(incident_);
  const std::string before = why_not_the_former.empty() ? "" : why_not_the_former + "; ";
  if (next == nullptr) {
    return EscalateWith(
        before + (incident_.diagnosis().explanations().empty() ? "no cause was found that an action can mend"
                                                               : "no further explanation is left"),
        "orchestrator");
  }
  if (const uint32_t tried = RecoveriesTried(incident_); tried >= incident_.limits().max_recoveries()) {
    return EscalateWith(fmt::format("{}{} recoveries were tried, the playbook allows no more", before, tried),
                        "orchestrator");
  }
  v1::Event chosen;
  chosen.mutable_explanation_chosen()->set_explanation_id(next->id());
  chosen.mutable_explanation_chosen()->set_by("ranking");
  const std::string reason = before + "explanation " + next->id() + ": " + next->summary();
  Emit(std::move(chosen));
  EnterPhase(v1::PHASE_RECOVERING, reason);
}

void Decision::AfterRecovering() {
  const v1::Recovery* recovery = CurrentRecovery(incident_);
  const v1::Task* failed = FailedTask(incident_);
  if (recovery != nullptr && recovery->application().needs_attention()) {
    return EscalateWith("the change could be neither finished nor undone: " + recovery->application().summary(),
                        "orchestrator");
  }
  const bool refused = recovery != nullptr && recovery->has_application() && !recovery->application().applied();
  if (failed == nullptr && !refused) return EnterPhase(v1::PHASE_VALIDATING, "recovery applied");

  const std::string why = failed != nullptr ? fmt::format("{} failed: {}", failed->spec().type(), failed->reason())
                                            : "not applied: " + recovery->application().summary();
  if (MayHaveChangedTheWorld(incident_)) return StartRollback("orchestrator", why);
  EndRecovery(why, false);
  ReleaseResources("recovery ended");
  if (!incident_.has_diagnosis()) return EscalateWith(why, "orchestrator");
  EnterNextRecovery(why);
}

bool Decision::ClearedByThemselves() const {
  const auto recovered = [](const v1::PhaseVisit& visit) { return visit.phase() == v1::PHASE_RECOVERING; };
  return !incident_.has_diagnosis() && std::none_of(incident_.visits().begin(), incident_.visits().end(), recovered);
}

// An alert that has fired all along clears when its monitor looks again, and one that began before the fix was in
// effect may be told late: only what began since is news. Where the alerts had cleared by themselves, any that fires
// is. One that flaps is believed when it is steady.
std::string Decision::WhatFiresAgain() const {
  if (incident_.alert_counts().firing() == 0 || playbook_.investigating().empty()) return "";
  if (ClearedByThemselves()) return "an alert fires again";
  const auto visit = std::find_if(incident_.visits().rbegin(), incident_.visits().rend(),
                                  [](const v1::PhaseVisit& v) { return v.phase() == v1::PHASE_VALIDATING; });
  if (visit == incident_.visits().rend()) return "";
  const absl::Time since = FromProto(visit->entered_at());
  for (const auto& alert : incident_.alerts()) {
    const absl::Time begun = FromProto(alert.has_starts_at() ? alert.starts_at() : alert.received_at());
    if (alert.status() != v1::ALERT_STATUS_FIRING || begun <= since) continue;
    if (FindFlapping(incident_, alert.fingerprint()) < 0) return fmt::format("\"{}\" fires since then", alert.title());
  }
  return "";
}

void Decision::AfterValidating() {
  const v1::Recovery* recovery = CurrentRecovery(incident_);
  std::string why;
  if (const v1::Task* failed = FailedTask(incident_)) {
    why = fmt::format("{} failed: {}", failed->spec().type(), failed->reason());
  } else if (std::any_of(incident_.tasks().begin(), incident_.tasks().end(),
                         [&](const v1::Task& task) { return task.verdict_failed() && IsCurrent(incident_, task); })) {
    why = recovery != nullptr ? "validation failed: " + recovery->verdict().summary() : "validation failed";
  }
  if (why.empty()) {
    if (recovery != nullptr) EndRecovery("validated", true);
    ReleaseResources("validated");
    const std::string again = WhatFiresAgain();
    return again.empty() ? EnterPhase(v1::PHASE_DOCUMENTING, "validated") : InvestigateAgain(again);
  }
  if (MayHaveChangedTheWorld(incident_)) return StartRollback("orchestrator", why);
  if (recovery != nullptr) EndRecovery(why, false);
  ReleaseResources("recovery ended");
  if (!incident_.has_diagnosis() && !playbook_.investigating().empty()) {
    return EnterPhase(v1::PHASE_INVESTIGATING, why + ", though the alerts cleared");
  }
  EnterNextRecovery(why);
}

void Decision::InvestigateAgain(const std::string& why) {
  EnterPhase(v1::PHASE_INVESTIGATING,
             ClearedByThemselves() ? why + ", though the alerts cleared" : "validated, but " + why);
}

void Decision::StartRollback(const std::string& by, const std::string& reason) {
  if (playbook_.rollback().empty()) {
    return EscalateWith(reason + "; the playbook has no rollback task: undo by hand", "orchestrator");
  }
  const std::string first = "/" + playbook_.rollback(0).name();
  const auto number = 1 + std::count_if(incident_.tasks().begin(), incident_.tasks().end(), [&](const v1::Task& task) {
                        return task.id().starts_with("rollback-") && task.id().ends_with(first);
                      });
  v1::Event event;
  auto* requested = event.mutable_rollback_requested();
  requested->set_by(by);
  requested->set_reason(reason);
  for (auto& task : TasksFromSpecs(playbook_.rollback(), fmt::format("rollback-{}/", number))) {
    // Undoing changes the world as well: only with the plan's locks.
    task.mutable_spec()->set_approval(true);
    *requested->add_tasks() = std::move(task);
  }
  Emit(std::move(event));
}

void Decision::AfterRollback() {
  const std::string by = incident_.rollback_by();
  const v1::Rollback rollback = incident_.recoveries(incident_.recoveries_size() - 1).rollback();
  const v1::Task* failed = FailedTask(incident_);
  const bool complete = failed == nullptr && rollback.complete();
  const std::string summary = failed != nullptr ? failed->reason() : rollback.summary();
  v1::Event event;
  event.mutable_rollback_ended()->set_complete(complete);
  event.mutable_rollback_ended()->set_summary(summary);
  Emit(std::move(event));
  if (!complete) {
    // The locks stay: the resources are in no known state.
    if (incident_.phase() != v1::PHASE_ESCALATED) {
      EscalateWith("the rollback is not complete: " + summary, "orchestrator");
    }
    return;
  }
  const std::string outcome = "rolled back by " + by;
  if (incident_.phase() == v1::PHASE_ESCALATED) {
    EndRecovery(outcome, false);
    return ReleaseResources(outcome);
  }
  const auto& recovery = incident_.recoveries(incident_.recoveries_size() - 1);
  const bool applied = recovery.application().applied();
  const std::string why = applied ? "validation failed, rolled back" : "apply failed, rolled back";
  EndRecovery(why, false);
  ReleaseResources(outcome);
  if (!incident_.has_diagnosis()) return EscalateWith(why, "orchestrator");
  EnterNextRecovery(why);
}

void Decision::EndRecovery(const std::string& outcome, bool validated) {
  v1::Event event;
  event.mutable_recovery_ended()->set_outcome(outcome);
  event.mutable_recovery_ended()->set_validated(validated);
  Emit(std::move(event));
}

void Decision::ReleaseResources(const std::string& reason) {
  if (incident_.resources().empty()) return;
  v1::Event event;
  event.mutable_resources_released()->set_reason(reason);
  Emit(std::move(event));
}

void Decision::EscalateWith(const std::string& reason, const std::string& by) {
  CancelTasks("the incident was escalated");
  if (!MayHaveChangedTheWorld(incident_)) {
    if (CurrentRecovery(incident_) != nullptr) EndRecovery("given up: escalated", false);
    ReleaseResources("escalated");
  }
  v1::Event event;
  event.mutable_incident_escalated()->set_reason(reason);
  event.mutable_incident_escalated()->set_by(by);
  Emit(std::move(event));
}

void Decision::CancelTasks(const std::string& reason) {
  std::vector<std::string> ids;
  for (const auto& task : incident_.tasks()) {
    if (!HasEnded(task.state())) ids.push_back(task.id());
  }
  for (const auto& id : ids) {
    v1::Event event;
    event.mutable_task_cancelled()->set_task_id(id);
    event.mutable_task_cancelled()->set_reason(reason);
    Emit(std::move(event));
  }
  if (incident_.rollback_by().empty()) return;
  v1::Event event;
  event.mutable_rollback_ended()->set_summary(reason);
  Emit(std::move(event));
}

void Decision::RetryOrFail(const v1::Task& task, const std::string& reason, bool finally) {
  const uint32_t attempts = task.spec().attempts() == 0 ? kDefaultAttempts : task.spec().attempts();
  v1::Event event;
  if (!finally && task.attempt() < attempts) {
    absl::Duration backoff = OrDefault(task.spec().backoff(), kDefaultBackoff);
    for (uint32_t i = 1; i < task.attempt() && backoff < kLongestRetryWait; ++i) backoff *= 2;
    auto* failed = event.mutable_attempt_failed();
    failed->set_task_id(task.id());
    failed->set_attempt(task.attempt());
    failed->set_reason(reason);
    *failed->mutable_not_before() = ToProto(now_ + std::min(backoff, kLongestRetryWait));
    return Emit(std::move(event));
  }
  auto* failed = event.mutable_task_failed();
  failed->set_task_id(task.id());
  failed->set_attempt(task.attempt());
  failed->set_reason(reason);
  const std::string id = task.id();
  Emit(std::move(event));
  if (const v1::Task* ended = FindTask(incident_, id); ended != nullptr && !ended->spec().optional()) {
    SkipTasksThatNeed(*ended);
  }
  Advance();
}

void Decision::SkipTasksThatNeed(const v1::Task& failed) {
  const std::string name = failed.spec().name();
  std::vector<std::string> dependants;
  for (const auto& task : incident_.tasks()) {
    const auto& needs = task.spec().needs();
    if (!HasEnded(task.state()) && IsCurrent(incident_, task) &&
        std::find(needs.begin(), needs.end(), name) != needs.end()) {
      dependants.push_back(task.id());
    }
  }
  for (const auto& id : dependants) {
    v1::Event event;
    event.mutable_task_skipped()->set_task_id(id);
    event.mutable_task_skipped()->set_reason("needs " + name + ", which did not succeed");
    Emit(std::move(event));
    SkipTasksThatNeed(*FindTask(incident_, id));
  }
}

}  // namespace omnix
