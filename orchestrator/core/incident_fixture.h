// Test support: incidents brought to a given state by commands alone, as the engine would.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/time.h"
#include "orchestrator/core/decide.h"
#include "orchestrator/core/effects.h"
#include "orchestrator/core/evolve.h"

namespace omnix::testing {

inline v1::TaskSpec Spec(const std::string& name, const std::string& type, std::vector<std::string> needs = {}) {
  v1::TaskSpec spec;
  spec.set_name(name);
  spec.set_type(type);
  for (auto& need : needs) spec.add_needs(need);
  return spec;
}

inline v1::Playbook FullPlaybook() {
  v1::Playbook playbook;
  playbook.set_name("full");
  *playbook.add_investigating() = Spec("diagnose", "investigation.diagnose");
  *playbook.add_recovering() = Spec("plan", "recovery.plan");
  *playbook.add_recovering() = Spec("apply", "recovery.apply", {"plan"});
  playbook.mutable_recovering(1)->set_approval(true);
  *playbook.add_validating() = Spec("validate", "testing.validate");
  *playbook.add_rollback() = Spec("rollback", "recovery.rollback");
  *playbook.add_documenting() = Spec("report", "documentation.report");
  return playbook;
}

// One incident and the events that made it.
struct Story {
  v1::Playbook playbook = FullPlaybook();
  v1::Incident incident;
  std::vector<v1::Event> events;
  absl::Time now = absl::FromUnixSeconds(1'756'969'200);  // 2025-09-04T07:00:00Z

  absl::StatusOr<std::vector<v1::Event>> Try(const Command& command) {
    auto decided = Decide(incident, playbook, command, now);
    if (decided.ok()) events.insert(events.end(), decided->begin(), decided->end());
    now += absl::Seconds(1);
    return decided;
  }

  Story& Do(const Command& command) {
    const auto decided = Try(command);
    EXPECT_TRUE(decided.ok()) << decided.status() << " in " << incident.ShortDebugString();
    return *this;
  }

  std::string PlanHash() const {
    return incident.recoveries().empty() ? "" : incident.recoveries(incident.recoveries_size() - 1).plan().hash();
  }

  // Task that is ready; the running one where none is; empty where there is neither.
  std::string ReadyTask() const {
    const Effects effects = DeriveEffects(incident, playbook, now + absl::Hours(1));
    return effects.ready_tasks.empty() ? "" : effects.ready_tasks.front();
  }
  std::string RunningTask() const {
    const Effects effects = DeriveEffects(incident, playbook, now);
    return effects.running_tasks.empty() ? "" : effects.running_tasks.front();
  }

  v1::LeaseId Lease(const std::string& task_id) const {
    v1::LeaseId lease;
    lease.set_incident_id(incident.id());
    lease.set_task_id(task_id);
    if (const v1::Task* task = FindTask(incident, task_id)) {
      lease.set_attempt(task->attempt());
      lease.set_fencing_token(task->fencing_token());
    }
    return lease;
  }

  Story& Assign() { return Do(command::AssignTask{ReadyTask(), "agent-a", "{}"}); }
  Story& Finish(v1::Product product) {
    return Do(command::FinishTask{Lease(RunningTask()), "agent-a", v1::OUTCOME_SUCCEEDED, std::move(product), ""});
  }
};

inline command::Open OpenCommand() {
  v1::Alert alert;
  alert.set_fingerprint("f1");
  alert.set_title("API calls fail");
  alert.set_severity(v1::SEVERITY_ERROR);
  alert.set_status(v1::ALERT_STATUS_FIRING);
  return {"INC-2025-09-04-001", "API calls fail", v1::SEVERITY_ERROR, {alert}, {}, "alertmanager"};
}

inline v1::Product DiagnosisOf(std::vector<std::string> explanation_ids) {
  v1::Product product;
  product.mutable_diagnosis()->set_summary("the cause");
  for (auto& id : explanation_ids) product.mutable_diagnosis()->add_explanations()->set_id(id);
  return product;
}

inline v1::Product PlanOf(const std::string& hash) {
  v1::Product product;
  product.mutable_plan()->set_hash(hash);
  product.mutable_plan()->add_resources("file:/etc/app.conf");
  return product;
}

inline v1::Product ApplicationOf(const std::string& plan_hash, bool applied, bool needs_attention = false) {
  v1::Product product;
  product.mutable_application()->set_plan_hash(plan_hash);
  product.mutable_application()->set_applied(applied);
  product.mutable_application()->set_needs_attention(needs_attention);
  return product;
}

inline v1::Product VerdictOf(bool passed) {
  v1::Product product;
  product.mutable_verdict()->set_passed(passed);
  return product;
}

inline v1::Product RollbackOf(const std::string& plan_hash, bool complete) {
  v1::Product product;
  product.mutable_rollback()->set_plan_hash(plan_hash);
  product.mutable_rollback()->set_complete(complete);
  return product;
}

inline v1::Product DocumentOf() {
  v1::Product product;
  product.mutable_document()->set_title("report");
  return product;
}

// The way of a whole incident, step by step.
inline Story Mobilizing() { return Story().Do(OpenCommand()); }
inline Story Investigating() { return Mobilizing().Do(command::AnswerRollCall{}).Assign(); }
inline Story Planning(std::vector<std::string> explanations = {"x1", "x2"}) {
  return Investigating().Finish(DiagnosisOf(std::move(explanations))).Assign();
}
inline Story Planned() { return Planning().Finish(PlanOf("hash1")); }
inline Story AwaitingApproval() {
  return Planned().Do(command::DecidePolicy{"hash1", v1::POLICY_DECISION_ASK, "default", ""});
}
inline Story Approved() { return AwaitingApproval().Do(command::Approve{"hash1", "operator:alice", ""}); }
inline Story Applying() { return Approved().Do(command::LockResources{}).Assign(); }
inline Story Validating() { return Applying().Finish(ApplicationOf("hash1", true)).Assign(); }
inline Story RollingBack() { return Validating().Finish(VerdictOf(false)).Assign(); }
inline Story Documenting() { return Validating().Finish(VerdictOf(true)).Assign(); }
inline Story Resolved() { return Documenting().Finish(DocumentOf()); }
inline Story Escalated() { return Investigating().Finish(DiagnosisOf({})); }
inline Story EscalatedInEffect() { return Validating().Do(command::Escalate{"operator:alice", "look at this"}); }
inline Story EscalatedRollingBack() {
  return EscalatedInEffect().Do(command::RequestRollback{"operator:alice", ""}).Assign();
}
inline Story Cancelled() { return Investigating().Do(command::Cancel{"operator:alice", ""}); }
inline Story PausedInvestigating() { return Investigating().Do(command::Pause{"operator:alice", ""}); }

}  // namespace omnix::testing
