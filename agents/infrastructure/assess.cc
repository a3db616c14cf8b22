#include "agents/infrastructure/assess.h"

#include <atomic>
#include <thread>

#include "agents/checks/check.h"
#include "agents/checks/evidence.h"
#include "agents/infrastructure/readiness.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr size_t kParallelChecks = 4;
constexpr uint32_t kWholePercent = 100;

using Results = std::vector<std::vector<v1::CheckResult>>;

Results Evaluate(const std::vector<v1::Check>& checks, const v1::SystemModel& system, TaskContext& task) {
  Results results(checks.size());
  std::atomic<size_t> next = 0;
  std::atomic<size_t> done = 0;
  std::atomic<size_t> evidence = 0;
  const auto work = [&] {
    for (size_t i = next++; i < checks.size(); i = next++) {
      CheckContext context{.system = system, .variables = {}, .cancelled = [&task] { return task.cancelled(); }};
      results[i] = RunCheck(checks[i], context);
      for (const v1::CheckResult& result : results[i]) task.Report(ToEvidence(result, fmt::format("i{}", ++evidence)));
      const size_t ended = ++done;
      task.Progress(fmt::format("{} of {} checks", ended, checks.size()),
                    static_cast<uint32_t>(kWholePercent * ended / checks.size()));
    }
  };
  std::vector<std::jthread> helpers;
  for (size_t i = 1; i < std::min(checks.size(), kParallelChecks); ++i) helpers.emplace_back(work);
  work();
  helpers.clear();
  return results;
}

}  // namespace

absl::StatusOr<v1::Product> AssessInfrastructure(TaskContext& task) {
  v1::SystemModel system;
  OMNIX_RETURN_IF_ERROR(ReadSystem(task.input(), &system));
  const std::vector<v1::Check> checks = DeriveInfrastructureChecks(system);
  const Results results = Evaluate(checks, system, task);
  if (task.cancelled()) return Cancelled("the assessment was cancelled");
  v1::Product product;
  *product.mutable_readiness() = Score(checks, results);
  return product;
}

}  // namespace omnix
