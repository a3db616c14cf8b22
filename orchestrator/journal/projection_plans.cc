// The tables actions and approvals.
#include "orchestrator/core/names.h"
#include "orchestrator/journal/names.h"
#include "orchestrator/journal/projection.h"

namespace omnix {

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
