// testing.validate {incident_id, system}: does the system work, as its users see it?
#pragma once

#include "absl/status/statusor.h"
#include "agents/sdk/agent.h"

namespace omnix {

// Reports evidence for every check that did not pass. Errors: INVALID_ARGUMENT (no system model, bad checks),
// CANCELLED.
absl::StatusOr<v1::Product> ValidateSystem(TaskContext& task);

}  // namespace omnix
