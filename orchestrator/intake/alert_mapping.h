// Mappings: alert formats written as YAML (omnix.v1.AlertMapping) instead of jq.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "orchestrator/intake/format_library.h"

namespace omnix {

// The format that a mapping file describes; its jq is not compiled yet. Errors: those of ReadFile; INVALID_ARGUMENT
// with every mistake as "file:line:column: key: why".
absl::StatusOr<AlertFormat> LoadAlertMapping(const std::string& path, const std::string& name);

}  // namespace omnix
