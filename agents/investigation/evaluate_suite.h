// Suites of an investigation: evaluated through its broker, failures taken as symptoms.
#pragma once

#include "agents/investigation/scene.h"

namespace omnix {

inline constexpr absl::Duration kSuiteRequestTimeout = absl::Seconds(5);

// `system`: the model, or what of it the suite is to know. Thread-safe.
v1::Verdict EvaluateSuite(Scene* scene, const v1::SystemModel& system, v1::Suite suite,
                          absl::Duration request_timeout = kSuiteRequestTimeout);

// The results become the scene's, and each failure a symptom, as long as there are not too many. Not thread-safe.
void TakeVerdict(Scene* scene, const v1::Verdict& verdict);

}  // namespace omnix
