// The readiness score: what of the infrastructure stands, out of 100.
//
//   score = max(0, 100 - sum of deductions)
//   a failed check deducts its weight, once, however many of its results failed; a check that only warns deducts a
//   third of it, rounded, at least 1; a check that could not be evaluated deducts nothing, and the summary says so.
#pragma once

#include <omnix/v1/check.pb.h>
#include <omnix/v1/system_model.pb.h>

#include <vector>

namespace omnix {

// What the model says must stand: processes, ports, the answer of every HTTP service (any status below 500: the
// application's own 404 is no matter of infrastructure), databases, disks, memory, certificates and tests of
// configuration.
std::vector<v1::Check> DeriveInfrastructureChecks(const v1::SystemModel& system);

// `results[i]`: what check i gave.
v1::Readiness Score(const std::vector<v1::Check>& checks, const std::vector<std::vector<v1::CheckResult>>& results);

}  // namespace omnix
