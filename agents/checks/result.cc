#include "agents/checks/result.h"

#include <atomic>
#include <thread>

#include "absl/strings/str_join.h"
#include "agents/checks/budget.h"
#include "common/status.h"
#include "common/time.h"

namespace omnix {

v1::CheckResult MakeResult(const v1::Check& check, v1::CheckStatus status, const std::string& summary) {
  v1::CheckResult result;
  result.set_name(check.name());
  result.set_kind(check.kind());
  result.set_service(check.service());
  result.set_status(status);
  result.set_summary(summary);
  return result;
}

v1::CheckResult ErrorResult(const v1::Check& check, const absl::Status& status) {
  return MakeResult(check, v1::CHECK_STATUS_ERROR, "could not be evaluated: " + Message(status));
}

v1::CheckResult UnansweredResult(const v1::Check& check, const absl::Status& status) {
  if (!absl::IsUnavailable(status) && !absl::IsDeadlineExceeded(status)) return ErrorResult(check, status);
  v1::CheckResult result = MakeResult(check, v1::CHECK_STATUS_FAILED, Message(status));
  result.set_observed(absl::IsDeadlineExceeded(status) ? "no answer in time" : "no answer");
  (*result.mutable_attributes())["error"] = absl::IsDeadlineExceeded(status) ? "timeout" : "unreachable";
  return result;
}

v1::CheckResult NothingToCheck(const v1::Check& check, const std::string& why) {
  return MakeResult(check, v1::CHECK_STATUS_SKIPPED, "nothing to check: " + why);
}

absl::StatusOr<const v1::Service*> ServiceOf(const v1::Check& check, const v1::SystemModel& system) {
  std::vector<std::string> names;
  for (const v1::Service& service : system.services()) {
    if (service.name() == check.service()) return &service;
    names.push_back(service.name());
  }
  const std::string known = names.empty() ? "none" : absl::StrJoin(names, ", ");
  if (check.service().empty()) {
    return InvalidArgument("a check of kind {} needs `service`; the system model has: {}", check.kind(), known);
  }
  return InvalidArgument("service '{}' is not in the system model, which has: {}", check.service(), known);
}

std::vector<v1::CheckResult> RunPieces(const v1::Check& check, const CheckContext& context, size_t count,
                                       const std::function<v1::CheckResult(size_t index)>& run) {
  const Budget budget(context);
  std::vector<v1::CheckResult> results(std::min(count, kMaxPieces));
  std::atomic<size_t> next = 0;
  std::atomic<size_t> not_run = 0;
  const auto work = [&] {
    for (size_t i = next++; i < results.size(); i = next++) {
      if (!budget.Over()) {
        const absl::Duration start = SystemClock().Monotonic();
        results[i] = run(i);
        *results[i].mutable_duration() = ToProto(SystemClock().Monotonic() - start);
      } else {
        ++not_run;
      }
    }
  };
  {
    std::vector<std::jthread> helpers;
    // A broker keeps the distance between requests: what waits for a slow answer must not keep the others from theirs.
    const size_t parallel = context.http == nullptr ? kParallelRequests : kParallelPaced;
    for (size_t i = 1; i < std::min(results.size(), parallel); ++i) helpers.emplace_back(work);
    work();
  }
  std::erase_if(results, [](const v1::CheckResult& result) { return result.status() == v1::CHECK_STATUS_UNSPECIFIED; });
  if (const size_t missing = not_run + count - std::min(count, kMaxPieces); missing > 0) {
    const std::string why =
        context.cancelled() ? "cancelled" : "the time or the number of requests for one check is used up";
    results.push_back(
        MakeResult(check, v1::CHECK_STATUS_ERROR, fmt::format("{} of {} not evaluated: {}", missing, count, why)));
  }
  return results;
}

}  // namespace omnix
