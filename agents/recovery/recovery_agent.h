// The task types of the Recovery agent.
#pragma once

#include <omnix/v1/recovery_config.pb.h>
#include <omnix/v1/task.pb.h>

#include "absl/status/statusor.h"
#include "agents/sdk/agent.h"

namespace omnix {

// recovery.plan {incident_id, system, explanation, hypotheses} -> Product.plan
absl::StatusOr<v1::Product> HandlePlan(TaskContext& context, const v1::RecoveryConfig& config);
// recovery.apply {incident_id, system, plan, approval} -> Product.application
absl::StatusOr<v1::Product> HandleApply(TaskContext& context, const v1::RecoveryConfig& config);
// recovery.rollback {incident_id, system, plan} -> Product.rollback
absl::StatusOr<v1::Product> HandleRollback(TaskContext& context, const v1::RecoveryConfig& config);

}  // namespace omnix
