// config_test: the service's own test of its configuration (its command "test_config") succeeds.
#include "agents/checks/budget.h"
#include "agents/checks/check.h"
#include "agents/checks/result.h"
#include "common/process.h"
#include "common/status.h"
#include "common/time.h"

namespace omnix {
namespace {

constexpr uint32_t kDefaultWeight = 10;
constexpr char kCommand[] = "test_config";
constexpr size_t kMaxOutputBytes = 64 << 10;

std::vector<v1::CheckResult> Run(const v1::Check& check, const Json&, CheckContext& context) {
  const auto service = ServiceOf(check, context.system);
  if (!service.ok()) return {ErrorResult(check, service.status())};
  const auto command = (*service)->commands().find(kCommand);
  if (command == (*service)->commands().end()) {
    return {NothingToCheck(check, fmt::format("service {} has no command {}", check.service(), kCommand))};
  }
  const Budget budget(context);
  ProcessOptions options;
  options.cwd = command->second.cwd();
  options.timeout = std::min(OrDefault(command->second.timeout(), options.timeout), budget.Remaining());
  options.max_output_bytes = kMaxOutputBytes;
  const auto done = RunProcess({command->second.argv().begin(), command->second.argv().end()}, options);
  if (!done.ok()) return {ErrorResult(check, done.status())};
  const bool passed = done->exit_code == 0 && !done->timed_out;
  const std::string observed = done->timed_out ? "did not end in time" : fmt::format("exit code {}", done->exit_code);
  v1::CheckResult result = MakeResult(check, passed ? v1::CHECK_STATUS_PASSED : v1::CHECK_STATUS_FAILED,
                                      fmt::format("{} {}: {}", check.service(), kCommand, observed));
  result.set_expected("exit code 0");
  result.set_observed(observed);
  result.set_excerpt(done->err + done->out);
  (*result.mutable_attributes())["exit_code"] = std::to_string(done->exit_code);
  return {result};
}

}  // namespace

CheckKind ConfigTestCheck() { return {"config_test", kDefaultWeight, {}, Run}; }

}  // namespace omnix
