// The inside of Decide: one command being decided. Handlers check first and emit afterwards, so that a refused command
// changes nothing.
#pragma once

#include <omnix/v1/event.pb.h>
#include <omnix/v1/incident.pb.h>
#include <omnix/v1/playbook.pb.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "orchestrator/core/command.h"

namespace omnix {

class Decision {
 public:
  Decision(v1::Incident& incident, const v1::Playbook& playbook, absl::Time now)
      : incident_(incident), playbook_(playbook), now_(now) {}

  // One for each command (decide_*.cc).
  absl::Status Handle(command::Open open);
  absl::Status Handle(command::AttachAlert attach);
  absl::Status Handle(const command::SettleAlert& settle);
  absl::Status Handle(const command::Reopen& reopen);
  absl::Status Handle(const command::TakeAlerts& take);
  absl::Status Handle(const command::MergeInto& merge);
  absl::Status Handle(const command::SplitOff& split);
  absl::Status Handle(const command::NameSuspects& name);
  absl::Status Handle(const command::AnswerRollCall& answer);
  absl::Status Handle(const command::AssignTask& assign);
  absl::Status Handle(const command::SkipTask& skip);
  absl::Status Handle(const command::FinishTask& finish);
  absl::Status Handle(const command::LoseAttempt& lose);
  absl::Status Handle(const command::RecordEvidence& record);
  absl::Status Handle(const command::DecidePolicy& decide);
  absl::Status Handle(const command::LockResources& lock);
  absl::Status Handle(const command::ExpireApproval& expire);
  absl::Status Handle(const command::ExpireBudget& expire);
  absl::Status Handle(const command::Approve& approve);
  absl::Status Handle(const command::Reject& reject);
  absl::Status Handle(const command::Choose& choose);
  absl::Status Handle(const command::Pause& pause);
  absl::Status Handle(const command::Resume& resume);
  absl::Status Handle(const command::Cancel& cancel);
  absl::Status Handle(const command::Escalate& escalate);
  absl::Status Handle(const command::AddNote& add);
  absl::Status Handle(const command::RequestRollback& request);

  std::vector<v1::Event> TakeEvents() && { return std::move(events_); }

 private:
  // Appends an event to the decision and folds it into the incident.
  void Emit(v1::Event event);

  // Checks shared by handlers.
  absl::Status RefuseIfClosed(const char* what) const;
  absl::Status RefuseIfChanging(const char* what) const;
  absl::StatusOr<const v1::Task*> RunningTask(const v1::LeaseId& lease) const;
  absl::StatusOr<const v1::Recovery*> RecoveryAwaitingApproval(const std::string& plan_hash) const;

  // decide_alerts.cc
  v1::AlertKey LastReading(const v1::Alert& alert, const std::optional<v1::AlertKey>& was) const;
  void MarkFlapping(const v1::Alert& alert, const command::Flap& flap);
  void Settle(const std::string& fingerprint);
  void ValidateIfCleared();

  // phase_rules.cc: what follows once the tasks of a phase have ended.
  void Advance();
  void AfterInvestigating();
  void AfterRecovering();
  // The incident is where it is because all alerts cleared before anything was changed.
  bool ClearedByThemselves() const;
  // Why the incident can't end though all is well; empty where it can.
  std::string WhatFiresAgain() const;
  void InvestigateAgain(const std::string& why);
  void AfterValidating();
  void AfterRollback();
  void EnterPhase(v1::Phase phase, const std::string& reason);
  void EnterNextRecovery(const std::string& why_not_the_former);
  void EndRecovery(const std::string& outcome, bool validated);
  void ReleaseResources(const std::string& reason);
  void StartRollback(const std::string& by, const std::string& reason);
  void EscalateWith(const std::string& reason, const std::string& by);
  void CancelTasks(const std::string& reason);
  void RetryOrFail(const v1::Task& task, const std::string& reason, bool finally);
  void SkipTasksThatNeed(const v1::Task& failed);
  std::vector<v1::Task> MakeTasks(v1::Phase phase, const std::string& id_prefix) const;

  v1::Incident& incident_;
  const v1::Playbook& playbook_;
  absl::Time now_;
  std::vector<v1::Event> events_;
};

// The wait before another attempt doubles up to this.
inline constexpr absl::Duration kLongestRetryWait = absl::Minutes(1);

// Questions about a state that several rules ask (state_queries.cc).

// How long one attempt may take.
absl::Duration TimeoutOf(const v1::TaskSpec& spec);
// How long the incident may take in all, from when it was opened or last taken up again by an operator.
absl::Duration BudgetOf(const v1::Incident& incident);

// The tasks of the current visit (or of the rollback under way) have all ended.
bool CurrentTasksEnded(const v1::Incident& incident);
// First non-optional task of the current visit that failed; null where none did.
const v1::Task* FailedTask(const v1::Incident& incident);
// The task belongs to what the incident is doing now.
bool IsCurrent(const v1::Incident& incident, const v1::Task& task);
// An applying task of the last recovery was leased at least once, and nothing says that all of it has been undone.
bool MayHaveChangedTheWorld(const v1::Incident& incident);
// The same, whether or not it was proven good before the incident was taken up again: it can be rolled back.
bool CanBeRolledBack(const v1::Incident& incident);
// Recoveries since the incident was opened, or last taken up again by a person or an alert.
uint32_t RecoveriesTried(const v1::Incident& incident);
// First explanation of the diagnosis that is not spent; null where none is left.
const v1::Explanation* NextExplanation(const v1::Incident& incident);

}  // namespace omnix
