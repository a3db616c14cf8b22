// The agent's own configuration: what it can do at all.
#pragma once

#include <omnix/v1/recovery_config.pb.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace omnix {

// Reads and checks the configuration. Errors: INVALID_ARGUMENT or NOT_FOUND; the message says how to write one.
absl::StatusOr<v1::RecoveryConfig> LoadRecoveryConfig(const std::string& path);

// Errors: INVALID_ARGUMENT with every mistake. Sets lock_dir where it is not given.
absl::Status CheckRecoveryConfig(v1::RecoveryConfig* config);

// True where exactly this command is allowed.
bool CommandAllowed(const v1::RecoveryConfig& config, const std::vector<std::string>& argv);

}  // namespace omnix
