#include "agents/testing/validate.h"

#include "agents/checks/evidence.h"
#include "agents/testing/suites.h"
#include "common/status.h"
#include "common/time.h"

namespace omnix {
namespace {

constexpr size_t kWholePercent = 100;
constexpr absl::Duration kDefaultSettle = absl::Seconds(10);

}  // namespace

absl::StatusOr<v1::Product> ValidateSystem(TaskContext& task) {
  v1::SystemModel system;
  OMNIX_RETURN_IF_ERROR(ReadSystem(task.input(), &system));
  OMNIX_RETURN_IF_ERROR(ValidateSuites(system));
  CheckContext context{.system = system, .variables = {}};
  context.settle = kDefaultSettle;
  for (const v1::Suite& suite : system.suites()) {
    if (suite.stability().has_settle()) context.settle = FromProto(suite.stability().settle());
  }
  context.cancelled = [&task] { return task.cancelled(); };
  context.progress = [&task](size_t done, size_t total) {
    task.Progress(fmt::format("{} of {} checks", done, total), static_cast<uint32_t>(kWholePercent * done / total));
  };
  v1::Product product;
  *product.mutable_verdict() = RunSuites(system, context);
  if (task.cancelled()) return Cancelled("the validation was cancelled: {}", product.verdict().summary());
  size_t number = 0;
  for (const v1::CheckResult& result : product.verdict().results()) {
    if (Blocks(result)) task.Report(ToEvidence(result, fmt::format("t{}", ++number)));
  }
  return product;
}

}  // namespace omnix
