// recovery.plan: what would be done, worked out without doing anything.
#pragma once

#include <omnix/v1/action.pb.h>
#include <omnix/v1/recovery_config.pb.h>
#include <omnix/v1/system_model.pb.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace omnix {

struct PlanRequest {
  // Part of the plan's id and so of its hash: the same fault occurring again makes another plan, which may be applied
  // again.
  std::string incident_id;
  std::string explanation_id;
  std::string summary;
  std::vector<v1::Action> actions;
};

// Errors: those of the actions; PERMISSION_DENIED (path or command not allowed here, file not editable by the model);
// FAILED_PRECONDITION (nothing would change, binary file). Reads files, changes none.
absl::StatusOr<v1::Plan> MakePlan(const PlanRequest& request, const v1::SystemModel& system,
                                  const v1::RecoveryConfig& config);

// Commands of these names may run twice: model authors give them to what ends in the same state (test_config, reload,
// restart). The others run once, and not again when a plan is taken back.
bool MayRunAgain(const std::string& command_name);

// The command of that name, where model and configuration both allow it.
absl::StatusOr<v1::PlannedCommand> AllowedPlannedCommand(const v1::SystemModel& system,
                                                         const v1::RecoveryConfig& config, const std::string& service,
                                                         const std::string& name);

const v1::Service* FindService(const v1::SystemModel& system, const std::string& name);

}  // namespace omnix
