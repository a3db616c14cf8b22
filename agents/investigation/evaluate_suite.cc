#include "agents/investigation/evaluate_suite.h"

#include "agents/checks/check.h"

namespace omnix {
namespace {

constexpr size_t kMaxSymptoms = 100;
// Waiting for turns included (HttpBroker).
constexpr absl::Duration kCheckTimeout = absl::Seconds(25);

}  // namespace

v1::Verdict EvaluateSuite(Scene* scene, const v1::SystemModel& system, v1::Suite suite,
                          absl::Duration request_timeout) {
  if (suite.steps_size() == 0) return {};
  suite.clear_stability();
  CheckContext context{.system = system,
                       .variables = {suite.variables().begin(), suite.variables().end()},
                       .timeout = kCheckTimeout,
                       .cancelled = scene->input.cancelled,
                       .http = &scene->http,
                       .request_timeout = request_timeout};
  return RunSuite(suite, context);
}

void TakeVerdict(Scene* scene, const v1::Verdict& verdict) {
  for (const v1::CheckResult& result : verdict.results()) {
    scene->results.push_back(result);
    // A step that only lacks what an earlier one should have given is a consequence.
    if (!Blocks(result) || result.status() != v1::CHECK_STATUS_FAILED || scene->symptoms.size() >= kMaxSymptoms)
      continue;
    const std::string evidence =
        scene->book.Add(MakeEvidence("check", result.service(), result.summary(), result.excerpt(), {},
                                     {result.attributes().begin(), result.attributes().end()}));
    const std::string id = scene->AddSymptom(result.service(), result.name(), result.summary(), evidence);
    scene->symptom_results[id] = result;
  }
}

}  // namespace omnix
