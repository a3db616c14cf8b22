// The Documentation agent: what it offers and how it works.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "agents/documentation/live_reports.h"
#include "agents/sdk/agent.h"

namespace omnix {

// Offers documentation.report and follows every incident of a roll call. Reports are also kept below `state_dir`.
// Errors: INVALID_ARGUMENT where `state_dir` can't be made.
absl::Status SetUpDocumentation(Agent& agent, const std::string& state_dir);

// documentation.report {incident_id}: the final report, from the incident and its events alone. Also written to
// `<state_dir>/<incident>/`.
absl::StatusOr<v1::Product> WriteFinalReport(TaskContext& context, const std::string& state_dir);

}  // namespace omnix
