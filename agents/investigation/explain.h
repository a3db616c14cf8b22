// Ranks candidate causes and combines those that together account for the symptoms.
//
// An explanation is a set of causes, each with one of its remedies. The first takes, from the most confident down,
// every cause that explains a symptom not yet explained; its confidence is that of its least certain cause, times the
// share of the symptoms that it covers (at least half counts). Alternatives take another remedy of one cause each.
#pragma once

#include "agents/investigation/analyzer.h"

namespace omnix {

inline constexpr size_t kMaxExplanations = 8;
// Below this a cause is named, but nothing is changed because of it.
inline constexpr double kMinExplanationConfidence = 0.5;

v1::Diagnosis Explain(const Scene& scene, std::vector<Candidate> candidates);

}  // namespace omnix
