// Which sources must show that they live (`omnixd --sources FILE`; the schema is alert_source.proto).
#pragma once

#include <omnix/v1/alert_source.pb.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace omnix {

inline constexpr int kMaxAlertSources = 256;

// The file with its defaults filled in; `formats`: the names of the alert formats there are. Errors: those of ReadFile;
// INVALID_ARGUMENT with every mistake, each with file, line and key.
absl::StatusOr<v1::AlertSources> LoadAlertSources(const std::string& path, const std::vector<std::string>& formats);

}  // namespace omnix
