// Makes check results.
#pragma once

#include <omnix/v1/check.pb.h>
#include <omnix/v1/system_model.pb.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/checks/check.h"

namespace omnix {

// A result of this check with a status and one line for people; name, kind and service are the check's own.
v1::CheckResult MakeResult(const v1::Check& check, v1::CheckStatus status, const std::string& summary);

// CHECK_STATUS_ERROR for an error of Omnix or of the parameters.
v1::CheckResult ErrorResult(const v1::Check& check, const absl::Status& status);

// CHECK_STATUS_FAILED where the system under care did not answer; CHECK_STATUS_ERROR where the request itself was bad.
v1::CheckResult UnansweredResult(const v1::Check& check, const absl::Status& status);

// CHECK_STATUS_SKIPPED: there is nothing to evaluate.
v1::CheckResult NothingToCheck(const v1::Check& check, const std::string& why);

// The service that the check speaks for. Errors: INVALID_ARGUMENT naming those that exist.
absl::StatusOr<const v1::Service*> ServiceOf(const v1::Check& check, const v1::SystemModel& system);

// run(0) to run(count - 1), at most kParallelRequests (with a broker kParallelPaced) at a time; results in order.
// Beyond kMaxPieces, and where the check's time is up before a piece could begin, the piece's result is an error that
// says so.
inline constexpr size_t kParallelRequests = 4;
inline constexpr size_t kParallelPaced = 12;
inline constexpr size_t kMaxPieces = 500;
std::vector<v1::CheckResult> RunPieces(const v1::Check& check, const CheckContext& context, size_t count,
                                       const std::function<v1::CheckResult(size_t index)>& run);

}  // namespace omnix
