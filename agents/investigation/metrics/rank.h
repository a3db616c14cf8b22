// Which component could be the origin of an objective's violation? From the components' time series in a window, the
// same in normal time, and the graph of calls.
//
// 1. What is usual. Median and inter-quartile range of each series in normal time (robust: half of the values may be
//    odd; Rousseeuw & Croux, "Alternatives to the Median Absolute Deviation", JASA 1993). A window's deviation is the
//    mean of its largest third, measured in units of what one in twenty normal windows of that length exceeds.
// 2. What each component adds to the target's excess, in the target's own unit, row by row. Time and failures pass
//    along calls: latency adds requests x (latency - usual) / requests of the target, failures add
//    requests x (usual availability - availability) / requests of the target. (Time in callees is time in the caller:
//    the critical-path reading of traces; Chow et al., "The Mystery Machine", OSDI 2014. Additive attribution of a
//    change: Budhathoki et al., "Why did the distribution change?", AISTATS 2021.) Other metrics have no common unit:
//    their excess is scaled to the target's, so that only its course in time counts.
// 3. Difference in differences: in rows where the target is quiet a component's excess is no cause of the target's; its
//    median there is taken off. A level that moved long before the incident cancels out.
// 4. An anomalous component whose own dependencies are normal explains its callers: from a component's excess that of
//    its callees is taken off, as far as they are anomalous; the rest is its own. A callee that normal time doesn't
//    know is its caller's doing (a wrong address, a new dependency): it is not taken off, and not named.
// 5. Overlap of own excess and target's excess: sum of minima / sum of maxima over the rows (Ruzicka's similarity).
//    1: the same course and the same amount. Score = overlap x min(1, deviation).
// 6. A component that stopped reporting, though normal time always has it, shares the target's course where it is
//    missing; other metrics of a component (its CPU, say) are circumstantial: they count half, or a quarter
//    where the component has the target's metric as well.
// 7. "No cause": the strength of a window, overlap x sqrt(deviation of target x deviation of the best component), must
//    exceed that of 95 % of the windows of normal time, judged in the same way (a conformal test: Vovk et al.,
//    "Algorithmic Learning in a Random World", 2005).
//
// Graph traversal and what to expect of it: Hardt et al., "The PetShop Dataset", CLeaR 2024.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/investigation/metrics/table.h"

namespace omnix {

struct RankedCause {
  std::string node;
  // The metric that shows it.
  std::string metric;
  // 0 to 1.
  double score = 0;
};

struct Ranking {
  // Best first; empty where nothing is unusual. At most kMaxRankedCauses.
  std::vector<RankedCause> causes;
  // Of the window, and what it must exceed.
  double strength = 0;
  double threshold = 0;
};

inline constexpr size_t kMaxRankedCauses = 10;
// Rows of normal time below which nothing can be said.
inline constexpr size_t kMinNormalRows = 20;

// Pure; cost grows with the rows of normal time. Errors: INVALID_ARGUMENT (the target is in no graph or normal table,
// or normal time is too short).
absl::StatusOr<Ranking> RankCauses(const MetricTable& window, const MetricTable& normal, const CallGraph& graph,
                                   const SeriesKey& target);

// The same from files; reads only the series of components that the target depends on.
absl::StatusOr<Ranking> RankCausesOfFiles(const std::string& window_path, const std::string& normal_path,
                                          const std::string& graph_path, const SeriesKey& target);

}  // namespace omnix
