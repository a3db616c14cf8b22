// The part of a system model that matters for one service.
#pragma once

#include <omnix/v1/system_model.pb.h>

#include <string>

#include "absl/status/statusor.h"

namespace omnix {

// The service, all that it needs (directly or through others), its clients, and the suites' steps that ask these.
// Errors: INVALID_ARGUMENT naming the services that there are.
absl::StatusOr<v1::SystemModel> SystemAround(const v1::SystemModel& system, const std::string& service);

}  // namespace omnix
