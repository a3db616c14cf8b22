#include "agents/recovery/recovery_agent.h"

#include <omnix/v1/diagnosis.pb.h>
#include <omnix/v1/incident.pb.h>

#include <algorithm>
#include <string>

#include "agents/recovery/executor.h"
#include "agents/recovery/planner.h"
#include "common/json.h"
#include "common/status.h"

namespace omnix {
namespace {

absl::Status Parse(const Json& input, const std::string& name, google::protobuf::Message* message) {
  const auto found = input.find(name);
  if (found == input.end() || !found->is_object()) return InvalidArgument("the input lacks '{}'", name);
  return JsonToMessage(DumpJson(*found), message, name);
}

absl::StatusOr<std::vector<v1::Hypothesis>> ParseHypotheses(const Json& input) {
  const auto found = input.find("hypotheses");
  if (found == input.end() || !found->is_array()) return InvalidArgument("the input lacks 'hypotheses'");
  std::vector<v1::Hypothesis> hypotheses;
  for (const Json& item : *found) {
    OMNIX_RETURN_IF_ERROR(JsonToMessage(DumpJson(item), &hypotheses.emplace_back(), "hypotheses"));
  }
  return hypotheses;
}

// The remedy that a cause names, of the hypothesis that it names.
absl::StatusOr<const v1::Remedy*> FindRemedy(const v1::Cause& cause, const std::vector<v1::Hypothesis>& hypotheses) {
  for (const v1::Hypothesis& hypothesis : hypotheses) {
    if (hypothesis.id() != cause.hypothesis_id()) continue;
    for (const v1::Remedy& remedy : hypothesis.remedies()) {
      if (remedy.id() == cause.remedy_id()) return &remedy;
    }
    return NotFound("hypothesis {} has no remedy '{}'", cause.hypothesis_id(), cause.remedy_id());
  }
  return NotFound("the explanation names hypothesis '{}', which is not in the input", cause.hypothesis_id());
}

}  // namespace

absl::StatusOr<v1::Product> HandlePlan(TaskContext& context, const v1::RecoveryConfig& config) {
  v1::SystemModel system;
  v1::Explanation explanation;
  OMNIX_RETURN_IF_ERROR(Parse(context.input(), "system", &system));
  OMNIX_RETURN_IF_ERROR(Parse(context.input(), "explanation", &explanation));
  OMNIX_ASSIGN_OR_RETURN(const std::vector<v1::Hypothesis> hypotheses, ParseHypotheses(context.input()));
  PlanRequest request;
  request.incident_id = context.lease().incident_id();
  request.explanation_id = explanation.id();
  request.summary = explanation.summary();
  for (const v1::Cause& cause : explanation.causes()) {
    OMNIX_ASSIGN_OR_RETURN(const v1::Remedy* remedy, FindRemedy(cause, hypotheses));
    request.actions.insert(request.actions.end(), remedy->actions().begin(), remedy->actions().end());
  }
  context.Progress("planning " + std::to_string(request.actions.size()) + " actions");
  v1::Product product;
  OMNIX_ASSIGN_OR_RETURN(*product.mutable_plan(), MakePlan(request, system, config));
  return product;
}

absl::StatusOr<v1::Product> HandleApply(TaskContext& context, const v1::RecoveryConfig& config) {
  ApplyRequest request;
  v1::Approval approval;
  OMNIX_RETURN_IF_ERROR(Parse(context.input(), "system", &request.system));
  OMNIX_RETURN_IF_ERROR(Parse(context.input(), "plan", &request.plan));
  OMNIX_RETURN_IF_ERROR(Parse(context.input(), "approval", &approval));
  request.approved_hash = approval.plan_hash();
  request.approval_granted = approval.state() == v1::APPROVAL_STATE_GRANTED;
  v1::Product product;
  OMNIX_ASSIGN_OR_RETURN(*product.mutable_application(), ApplyPlan(request, config, context));
  return product;
}

absl::StatusOr<v1::Product> HandleRollback(TaskContext& context, const v1::RecoveryConfig& config) {
  v1::SystemModel system;
  v1::Plan plan;
  OMNIX_RETURN_IF_ERROR(Parse(context.input(), "system", &system));
  OMNIX_RETURN_IF_ERROR(Parse(context.input(), "plan", &plan));
  v1::Product product;
  OMNIX_ASSIGN_OR_RETURN(*product.mutable_rollback(), RollBackPlan(plan, system, config, context));
  return product;
}

}  // namespace omnix
