// Between checks and tasks: the system model of a task's input, and results as evidence.
#pragma once

#include <omnix/v1/check.pb.h>
#include <omnix/v1/diagnosis.pb.h>
#include <omnix/v1/system_model.pb.h>

#include <string>

#include "absl/status/status.h"
#include "common/json.h"

namespace omnix {

// Reads input.system. Errors: INVALID_ARGUMENT.
absl::Status ReadSystem(const Json& input, v1::SystemModel* system);

// source: the kind; attributes: those of the result and "check", "check_status" ("passed", "failed", "warning",
// "skipped", "error").
v1::Evidence ToEvidence(const v1::CheckResult& result, const std::string& id);

// "passed" for CHECK_STATUS_PASSED, and so on.
std::string StatusWord(v1::CheckStatus status);

}  // namespace omnix
