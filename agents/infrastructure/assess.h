// infrastructure.assess {incident_id, system}: evaluates what the system model says must stand, in parallel, and scores
// it.
#pragma once

#include "absl/status/statusor.h"
#include "agents/sdk/agent.h"

namespace omnix {

// Reports evidence for every result. Errors: INVALID_ARGUMENT (no system model in the input), CANCELLED.
absl::StatusOr<v1::Product> AssessInfrastructure(TaskContext& task);

}  // namespace omnix
