// A diagnosis in words: what is wrong, why, the strongest facts, what was ruled out, and what to look at next.
#pragma once

#include "agents/investigation/scene.h"

namespace omnix {

// From this confidence on a hypothesis is called the cause; below, the cause is unknown and the best is a guess.
inline constexpr double kKnownCause = 0.5;

// Sets summary and next_steps from the rest of the diagnosis.
void Summarize(const Scene& scene, v1::Diagnosis* diagnosis);

// What speaks for a hypothesis, strongest first: tests that agree, then observations with their places. At most
// `limit`.
std::vector<std::string> StrongestFacts(const Scene& scene, const v1::Hypothesis& hypothesis, size_t limit);

}  // namespace omnix
