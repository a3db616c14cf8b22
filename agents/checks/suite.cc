// RunSuite: the steps in order, then the stability window.
#include <condition_variable>
#include <mutex>

#include "absl/strings/str_join.h"
#include "agents/checks/check.h"
#include "agents/checks/result.h"
#include "agents/checks/variables.h"
#include "common/clock.h"
#include "common/redact.h"
#include "common/status.h"
#include "common/time.h"

namespace omnix {
namespace {

constexpr absl::Duration kDefaultInterval = absl::Seconds(1);
constexpr absl::Duration kMinInterval = absl::Milliseconds(10);
constexpr absl::Duration kMaxWindow = absl::Hours(1);
// How soon a cancellation is seen while waiting.
constexpr absl::Duration kCancellationStep = absl::Milliseconds(50);
constexpr size_t kMaxNamedFailures = 5;

// False where it was cancelled.
bool Pause(absl::Duration duration, const CheckContext& context) {
  const SystemClock clock;
  const absl::Duration end = clock.Monotonic() + duration;
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  while (clock.Monotonic() < end) {
    if (context.cancelled()) return false;
    never.wait_for(lock, absl::ToChronoMilliseconds(std::min(end - clock.Monotonic(), kCancellationStep)));
  }
  return !context.cancelled();
}

bool Passes(const std::vector<v1::CheckResult>& results) {
  return !results.empty() && std::none_of(results.begin(), results.end(), Blocks);
}

absl::StatusOr<std::map<std::string, std::string>> InitialVariables(const v1::Suite& suite,
                                                                    const CheckContext& context) {
  std::map<std::string, std::string> variables = context.variables;
  for (const auto& [name, text] : suite.variables()) {
    auto value = Expand(text, variables);
    if (absl::IsNotFound(value.status())) {
      return InvalidArgument(
          "suite {}: variable {} uses ${{{}}}, which is not known before the first step; use ${{env:NAME}} or a plain "
          "value",
          suite.name(), name, Message(value.status()));
    }
    if (!value.ok()) return Annotate(value.status(), fmt::format("suite {}: variable {}: ", suite.name(), name));
    variables[name] = *std::move(value);
  }
  return variables;
}

std::vector<v1::CheckResult> RunOnce(const v1::Suite& suite, CheckContext& context, bool report) {
  std::vector<v1::CheckResult> results;
  const auto total = static_cast<size_t>(suite.steps_size());
  for (const v1::Check& step : suite.steps()) {
    std::vector<v1::CheckResult> some = RunCheck(step, context);
    std::move(some.begin(), some.end(), std::back_inserter(results));
    if (report) context.progress(static_cast<size_t>(&step - &suite.steps(0)) + 1, total);
  }
  return results;
}

v1::Verdict Unrunnable(const v1::Suite& suite, const std::string& why) {
  v1::Check check;
  check.set_name(suite.name());
  check.set_kind("suite");
  v1::Verdict verdict;
  *verdict.add_results() = MakeResult(check, v1::CHECK_STATUS_ERROR, why);
  verdict.set_summary(why);
  return verdict;
}

}  // namespace

bool Blocks(const v1::CheckResult& result) {
  switch (result.status()) {
    case v1::CHECK_STATUS_PASSED:
    case v1::CHECK_STATUS_WARNING:
      return false;
    case v1::CHECK_STATUS_SKIPPED:
      return result.attributes().contains("missing");
    default:
      return true;
  }
}

std::string Summarize(const std::vector<v1::CheckResult>& results) {
  size_t passed = 0;
  size_t evaluated = 0;
  std::vector<std::string> failed;
  std::vector<std::string> warned;
  for (const v1::CheckResult& result : results) {
    const bool skipped = result.status() == v1::CHECK_STATUS_SKIPPED && !Blocks(result);
    evaluated += skipped ? 0 : 1;
    passed += skipped || Blocks(result) ? 0 : 1;
    if (Blocks(result)) failed.push_back(result.name());
    if (result.status() == v1::CHECK_STATUS_WARNING) warned.push_back(result.name());
  }
  const auto list = [](std::vector<std::string> names) {
    const size_t more = names.size() - std::min(names.size(), kMaxNamedFailures);
    names.resize(std::min(names.size(), kMaxNamedFailures));
    return absl::StrJoin(names, ", ") + (more > 0 ? fmt::format(" and {} more", more) : "");
  };
  std::string text = fmt::format("{} of {} checks passed", passed, evaluated);
  if (!failed.empty()) text += "; failed: " + list(failed);
  if (!warned.empty()) text += "; close to a limit: " + list(warned);
  return text;
}

v1::Verdict RunSuite(const v1::Suite& suite, CheckContext& context) {
  if (suite.steps().empty()) return Unrunnable(suite, fmt::format("suite {} has no steps", suite.name()));
  const auto initial = InitialVariables(suite, context);
  if (!initial.ok()) return Unrunnable(suite, Redact(Message(initial.status())));

  const std::map<std::string, std::string> before = context.variables;
  const absl::Duration window = std::min(FromProto(suite.stability().window()), kMaxWindow);
  const absl::Duration interval = std::max(OrDefault(suite.stability().interval(), kDefaultInterval), kMinInterval);
  const SystemClock clock;

  const absl::Duration settled_by = clock.Monotonic() + context.settle;
  context.variables = *initial;
  std::vector<v1::CheckResult> results = RunOnce(suite, context, /*report=*/true);
  uint32_t runs = 1;
  absl::Duration start = clock.Monotonic();
  bool cancelled = context.cancelled();
  while (!cancelled) {
    const absl::Duration now = clock.Monotonic();
    const bool passes = Passes(results);
    if (passes ? now - start >= window : now >= settled_by) break;
    const absl::Duration left = passes ? window - (now - start) : settled_by - now;
    cancelled = !Pause(std::min(interval, left), context);
    if (cancelled) break;
    context.variables = *initial;
    results = RunOnce(suite, context, /*report=*/false);
    ++runs;
    // The window of stability begins with the first pass after a failure.
    if (!passes) start = clock.Monotonic();
  }
  const absl::Duration stable = std::min(clock.Monotonic() - start, window);

  v1::Verdict verdict;
  verdict.set_passed(Passes(results) && !cancelled);
  verdict.set_runs(runs);
  *verdict.mutable_window() = ToProto(stable);
  std::string summary = Summarize(results);
  if (cancelled) summary += "; cancelled";
  if (runs > 1) summary += fmt::format("; {} runs in {}", runs, omnix::FormatDuration(stable));
  verdict.set_summary(summary);
  for (v1::CheckResult& result : results) *verdict.add_results() = std::move(result);
  context.variables = before;
  return verdict;
}

}  // namespace omnix
