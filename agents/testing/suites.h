// The suites that validate a system, and their verdict.
#pragma once

#include <omnix/v1/check.pb.h>
#include <omnix/v1/system_model.pb.h>

#include <vector>

#include "absl/status/status.h"
#include "agents/checks/check.h"

namespace omnix {

// For a system whose model has no suite: the calls of every client, every declared endpoint, every origin, and the
// development proxies. A service that lets any website read (Access-Control-Allow-Origin: *) only warns here.
v1::Suite DeriveSuite(const v1::SystemModel& system);

// Every mistake of the suites' checks at once, each with its file (where it came from one), suite and step. Errors:
// INVALID_ARGUMENT.
absl::Status ValidateSuites(const v1::SystemModel& system);

// Runs all suites of the system, or the derived one (the summary says so). Results of several suites bear the suite's
// name in front.
v1::Verdict RunSuites(const v1::SystemModel& system, CheckContext& context);

}  // namespace omnix
