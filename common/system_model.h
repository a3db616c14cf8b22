// Reads system models: the orchestrator pins them to incidents, the agents' own commands check against them.
#pragma once

#include <omnix/v1/system_model.pb.h>

#include <string>

#include "absl/status/statusor.h"

namespace omnix {

// Reads a system model, resolves its relative paths against the file's folder (config_files, logs, clients,
// repositories, pid files, sqlite dsn, commands' cwd, disks, journals), loads its suites, and checks that names are
// unique and references (depends_on, reload, client.service, client.origin, check.service) name something that exists.
// Errors: those of ReadFile; INVALID_ARGUMENT with every mistake, one a line.
absl::StatusOr<v1::SystemModel> LoadSystemModel(const std::string& path);

// The same for a file that holds one suite of checks. `system` says which services exist.
absl::StatusOr<v1::Suite> LoadSuite(const std::string& path, const v1::SystemModel& system);

}  // namespace omnix
