// Commands about approvals, and operators' words.
#include <algorithm>

#include "common/status.h"
#include "common/time.h"
#include "orchestrator/core/decision.h"
#include "orchestrator/core/effects.h"
#include "orchestrator/core/evolve.h"
#include "orchestrator/core/names.h"

namespace omnix {
namespace {

constexpr size_t kHashPrefixShown = 12;

v1::Event Granted(const std::string& plan_hash, const std::string& by, const std::string& reason) {
  v1::Event event;
  event.mutable_approval_granted()->set_plan_hash(plan_hash);
  event.mutable_approval_granted()->set_by(by);
  event.mutable_approval_granted()->set_reason(reason);
  return event;
}

v1::Event Rejected(const std::string& plan_hash, const std::string& by, const std::string& reason, bool forbidden) {
  v1::Event event;
  event.mutable_approval_rejected()->set_plan_hash(plan_hash);
  event.mutable_approval_rejected()->set_by(by);
  event.mutable_approval_rejected()->set_reason(reason);
  event.mutable_approval_rejected()->set_forbidden(forbidden);
  return event;
}

}  // namespace

absl::StatusOr<const v1::Recovery*> Decision::RecoveryAwaitingApproval(const std::string& plan_hash) const {
  const v1::Recovery* recovery = CurrentRecovery(incident_);
  if (incident_.phase() != v1::PHASE_RECOVERING || recovery == nullptr || !recovery->has_plan()) {
    return FailedPrecondition("{} is {} and has no plan that waits for approval", incident_.id(),
                              PhaseName(incident_.phase()));
  }
  const auto state = recovery->approval().state();
  if (state != v1::APPROVAL_STATE_REQUESTED && state != v1::APPROVAL_STATE_UNDECIDED) {
    return FailedPrecondition("the plan of {} is decided already ({} by {})", incident_.id(),
                              state == v1::APPROVAL_STATE_GRANTED ? "approved" : "rejected", recovery->approval().by());
  }
  if (recovery->plan().hash() != plan_hash) {
    return FailedPrecondition(
        "{} waits for approval of plan {}, not of '{}': look at it again with omnix incident show {}", incident_.id(),
        recovery->plan().hash().substr(0, kHashPrefixShown), plan_hash.substr(0, kHashPrefixShown), incident_.id());
  }
  return recovery;
}

absl::Status Decision::Handle(const command::DecidePolicy& decide) {
  OMNIX_ASSIGN_OR_RETURN(const v1::Recovery* recovery, RecoveryAwaitingApproval(decide.plan_hash));
  if (recovery->approval().state() != v1::APPROVAL_STATE_UNDECIDED) {
    return FailedPrecondition("the policy has spoken already");
  }
  const std::string by = "policy:" + (decide.rule.empty() ? "default" : decide.rule);
  if (decide.decision == v1::POLICY_DECISION_AUTO) {
    Emit(Granted(decide.plan_hash, by, decide.reason));
    return absl::OkStatus();
  }
  if (decide.decision == v1::POLICY_DECISION_FORBID) {
    Emit(Rejected(decide.plan_hash, by, decide.reason, /*forbidden=*/true));
    EndRecovery("forbidden by " + by, false);
    EscalateWith(fmt::format("{} forbids the plan: {}", by, decide.reason), "orchestrator");
    return absl::OkStatus();
  }
  v1::Event event;
  auto* requested = event.mutable_approval_requested();
  requested->set_plan_hash(decide.plan_hash);
  requested->set_rule(decide.rule);
  requested->set_reason(decide.reason);
  *requested->mutable_expires_at() = ToProto(now_ + absl::Milliseconds(incident_.limits().approval_timeout_ms()));
  Emit(std::move(event));
  return absl::OkStatus();
}

absl::Status Decision::Handle(const command::LockResources&) {
  const v1::Plan* plan = WantsResources(incident_);
  if (plan == nullptr) return FailedPrecondition("{} asks for no resources now", incident_.id());
  v1::Event event;
  for (const auto& resource : plan->resources()) event.mutable_resources_locked()->add_resources(resource);
  Emit(std::move(event));
  return absl::OkStatus();
}

absl::Status Decision::Handle(const command::ExpireApproval& expire) {
  OMNIX_RETURN_IF_ERROR(RecoveryAwaitingApproval(expire.plan_hash).status());
  const std::string reason = "nobody answered in time";
  Emit(Rejected(expire.plan_hash, "orchestrator", reason, /*forbidden=*/false));
  EndRecovery("approval expired", false);
  EscalateWith("the request for approval was not answered in time", "orchestrator");
  return absl::OkStatus();
}

absl::Status Decision::Handle(const command::Approve& approve) {
  OMNIX_RETURN_IF_ERROR(RecoveryAwaitingApproval(approve.plan_hash).status());
  Emit(Granted(approve.plan_hash, approve.by, approve.reason));
  return absl::OkStatus();
}

absl::Status Decision::Handle(const command::Reject& reject) {
  OMNIX_RETURN_IF_ERROR(RecoveryAwaitingApproval(reject.plan_hash).status());
  Emit(Rejected(reject.plan_hash, reject.by, reject.reason, /*forbidden=*/false));
  CancelTasks("the plan was rejected");
  EndRecovery("rejected by " + reject.by, false);
  EnterNextRecovery("plan rejected by " + reject.by);
  return absl::OkStatus();
}

absl::Status Decision::Handle(const command::Choose& choose) {
  OMNIX_RETURN_IF_ERROR(RefuseIfClosed("a choice"));
  const auto& explanations = incident_.diagnosis().explanations();
  const bool known = std::any_of(explanations.begin(), explanations.end(),
                                 [&](const v1::Explanation& e) { return e.id() == choose.explanation_id; });
  if (!known) {
    std::vector<std::string> ids;
    for (const auto& explanation : explanations) ids.push_back(explanation.id());
    return NotFound("{} has no explanation '{}'; it has: {}", incident_.id(), choose.explanation_id,
                    ids.empty() ? "none" : fmt::format("{}", fmt::join(ids, ", ")));
  }
  if (MayHaveChangedTheWorld(incident_)) {
    return FailedPrecondition("the last recovery of {} is still in effect: omnix incident rollback {} first",
                              incident_.id(), incident_.id());
  }
  const bool recovering = incident_.phase() == v1::PHASE_RECOVERING;
  if (!recovering && incident_.phase() != v1::PHASE_ESCALATED) {
    return FailedPrecondition("{} is {}: an explanation can be chosen while it is Recovering or Escalated",
                              incident_.id(), PhaseName(incident_.phase()));
  }
  if (recovering) {
    CancelTasks("another explanation was chosen");
    if (CurrentRecovery(incident_) != nullptr) EndRecovery("given up for another explanation by " + choose.by, false);
    ReleaseResources("another explanation was chosen");
  }
  v1::Event event;
  event.mutable_explanation_chosen()->set_explanation_id(choose.explanation_id);
  event.mutable_explanation_chosen()->set_by(choose.by);
  Emit(std::move(event));
  EnterPhase(v1::PHASE_RECOVERING, fmt::format("explanation {} chosen by {}", choose.explanation_id, choose.by));
  return absl::OkStatus();
}

absl::Status Decision::Handle(const command::Pause& pause) {
  OMNIX_RETURN_IF_ERROR(RefuseIfClosed("pausing"));
  if (incident_.paused()) return FailedPrecondition("{} is paused already", incident_.id());
  v1::Event event;
  event.mutable_paused()->set_by(pause.by);
  event.mutable_paused()->set_reason(pause.reason);
  Emit(std::move(event));
  return absl::OkStatus();
}

absl::Status Decision::Handle(const command::Resume& resume) {
  OMNIX_RETURN_IF_ERROR(RefuseIfClosed("resuming"));
  if (!incident_.paused() && incident_.phase() != v1::PHASE_ESCALATED) {
    return FailedPrecondition("{} is {} and not paused", incident_.id(), PhaseName(incident_.phase()));
  }
  // The end of a pause is no order to investigate again.
  const bool escalated = incident_.phase() == v1::PHASE_ESCALATED && !incident_.paused();
  if (escalated && !incident_.rollback_by().empty()) {
    return FailedPrecondition("{} is being rolled back: wait for its end", incident_.id());
  }
  if (escalated && MayHaveChangedTheWorld(incident_)) {
    return FailedPrecondition("the last recovery of {} is still in effect: omnix incident rollback {} first",
                              incident_.id(), incident_.id());
  }
  v1::Event event;
  event.mutable_resumed()->set_by(resume.by);
  event.mutable_resumed()->set_reason(resume.reason);
  Emit(std::move(event));
  if (escalated) EnterPhase(v1::PHASE_INVESTIGATING, "taken up again by " + resume.by);
  return absl::OkStatus();
}

absl::Status Decision::Handle(const command::Cancel& cancel) {
  OMNIX_RETURN_IF_ERROR(RefuseIfClosed("cancelling"));
  CancelTasks("the incident was cancelled");
  ReleaseResources("cancelled");
  v1::Event event;
  event.mutable_incident_cancelled()->set_by(cancel.by);
  event.mutable_incident_cancelled()->set_reason(cancel.reason.empty() ? "cancelled by " + cancel.by : cancel.reason);
  Emit(std::move(event));
  return absl::OkStatus();
}

absl::Status Decision::Handle(const command::Escalate& escalate) {
  OMNIX_RETURN_IF_ERROR(RefuseIfClosed("escalating"));
  if (incident_.phase() == v1::PHASE_ESCALATED) return FailedPrecondition("{} is escalated already", incident_.id());
  EscalateWith(escalate.reason.empty() ? "escalated by " + escalate.by : escalate.reason, escalate.by);
  return absl::OkStatus();
}

absl::Status Decision::Handle(const command::AddNote& add) {
  if (add.text.empty()) return InvalidArgument("a note needs a text");
  v1::Event event;
  auto* note = event.mutable_note_added()->mutable_note();
  note->set_by(add.by);
  note->set_text(add.text);
  *note->mutable_at() = ToProto(now_);
  Emit(std::move(event));
  return absl::OkStatus();
}

absl::Status Decision::Handle(const command::RequestRollback& request) {
  if (!incident_.rollback_by().empty()) return FailedPrecondition("{} is being rolled back already", incident_.id());
  if (!CanBeRolledBack(incident_)) {
    return FailedPrecondition("{} has changed nothing that could be rolled back", incident_.id());
  }
  if (!IsClosed(incident_.phase()) && incident_.phase() != v1::PHASE_ESCALATED) {
    return FailedPrecondition("{} is {}: escalate it first (omnix incident escalate {}), then roll back",
                              incident_.id(), PhaseName(incident_.phase()), incident_.id());
  }
  if (playbook_.rollback().empty())
    return FailedPrecondition("the playbook of {} has no rollback task", incident_.id());
  // A closed incident is open again: what was resolved by the change is not, once the change is undone.
  if (IsClosed(incident_.phase())) EscalateWith("its recovery is undone by " + request.by, request.by);
  StartRollback(request.by, request.reason);
  return absl::OkStatus();
}

}  // namespace omnix
