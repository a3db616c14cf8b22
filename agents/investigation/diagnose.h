// From a case to a diagnosis: observe, let the analyzers propose, rank, combine into explanations, say so in words.
#pragma once

#include "agents/investigation/scene.h"
#include "agents/sdk/agent.h"

namespace omnix {

// Errors: CANCELLED, DEADLINE_EXCEEDED (nothing was found out in the time given).
absl::StatusOr<v1::Diagnosis> Diagnose(const Case& investigation);

// Handler of investigation.diagnose. Errors: INVALID_ARGUMENT (the input's `system` is missing or bad).
absl::StatusOr<v1::Product> DiagnoseTask(TaskContext& context);

}  // namespace omnix
