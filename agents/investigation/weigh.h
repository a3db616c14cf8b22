// Weighs candidate causes against the symptoms, the evidence, the changes and each other.
//
// An analyzer gives the confidence that its candidate alone deserves. Weigh adds, in log odds (so that independent
// considerations add up: the weight of evidence of Good, "Probability and the Weighing of Evidence", 1950), what only
// the whole scene can tell, and writes each term to Hypothesis.score:
//
//   symptoms explained   the share of the symptoms that it accounts for; none at all speaks against it
//   counterfactual       tests that would have come out otherwise, were it wrong: for and against
//   contradicted         each piece of evidence against it
//   recent change        its place was changed shortly before the trouble
//   reported             the alerts speak of its component
//   prior incident       an earlier incident had the same cause, and its fix was validated
//   deeper cause         another candidate at something that its component needs explains the same symptoms: it is a
//                        consequence
//   sharper cause        another candidate at the same component explains the same symptoms and names the place, or
//                        what led to the state that this one names (a process that is down, a service that hangs); a
//                        state with a sure cause is the root only as far as that cause is not
//
// Rivals that explain the same symptoms then share what is certain: odds / (1 + own odds + theirs, by overlap). Two
// causes that are equally good can't both be nine in ten right. Causes of different symptoms are no rivals: there may
// be several.
#pragma once

#include <vector>

#include "agents/investigation/analyzer.h"

namespace omnix {

// Sets confidence (0 to kMaxConfidence) and score of each, and sorts them, best first; equal ones keep their order.
void Weigh(const Scene& scene, std::vector<Candidate>* candidates);

}  // namespace omnix
