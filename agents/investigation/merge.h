// One cause, one candidate: what several analyzers found of the same cause is put together.
#pragma once

#include <vector>

#include "agents/investigation/analyzer.h"

namespace omnix {

// Candidates of the same kind at the same component, of which no two name different places, become one: the most
// confident one, with the symptoms, evidence, tests and remedies of all. Candidates that fit only together with others
// stay as they are. The order is that of the first of each.
void MergeSame(std::vector<Candidate>* candidates);

}  // namespace omnix
