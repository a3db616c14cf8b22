#include "agents/investigation/metrics/rank.h"

#include <algorithm>
#include <set>

#include "agents/investigation/metrics/window_judge.h"
#include "common/status.h"

namespace omnix {
namespace {

// Windows of normal time that the threshold is taken from, spread over the whole of it.
constexpr size_t kMaxCalibrationWindows = 600;
constexpr double kThresholdShare = 0.95;
// Where normal time was so quiet that its windows say nothing.
constexpr double kLeastThreshold = 0.5;

// Statistics that add up: requests x average = total.
bool IsAverage(const std::string& statistic) {
  return statistic == "Average" || statistic == "average" || statistic == "avg" || statistic == "mean";
}

// The target's own statistic, and the average where there is one: quantiles do not add up along calls.
std::vector<std::string> StatisticsOf(const MetricTable& normal, const SeriesKey& target) {
  std::vector<std::string> statistics = {target.statistic};
  for (const auto& [key, values] : normal.series) {
    if (key.node == target.node && key.metric == target.metric && key.statistic != target.statistic &&
        IsAverage(key.statistic))
      statistics.push_back(key.statistic);
  }
  return statistics;
}

WindowVerdict Best(const std::vector<WindowJudge>& judges, const MetricTable& table, const Window& window) {
  WindowVerdict best;
  for (const WindowJudge& judge : judges) {
    WindowVerdict verdict = judge.Judge(table, window);
    if (verdict.strength > best.strength) best = std::move(verdict);
  }
  return best;
}

double Threshold(const std::vector<WindowJudge>& judges, const MetricTable& normal, size_t rows) {
  const size_t last = normal.times.size() - rows;
  const size_t stride = std::max<size_t>(1, last / kMaxCalibrationWindows);
  std::vector<double> strengths;
  for (size_t begin = 0; begin <= last; begin += stride)
    strengths.push_back(Best(judges, normal, {begin, rows}).strength);
  return std::max(Quantile(std::move(strengths), kThresholdShare), kLeastThreshold);
}

std::string SeriesOf(const MetricTable& table, const std::string& node) {
  constexpr size_t kMaxShown = 12;
  std::string names;
  size_t shown = 0;
  for (const auto& [key, values] : table.series) {
    if (key.node == node && ++shown <= kMaxShown) names += (names.empty() ? "" : ", ") + SeriesName(key);
  }
  return names.empty() ? "nothing of this component" : names;
}

}  // namespace

absl::StatusOr<Ranking> RankCauses(const MetricTable& window, const MetricTable& normal, const CallGraph& graph,
                                   const SeriesKey& target) {
  if (!graph.Has(target.node)) return InvalidArgument("the graph has no component '{}'", target.node);
  if (normal.Find(target) == nullptr)
    return InvalidArgument("{}: no series {}; it has {}", normal.path, SeriesName(target),
                           SeriesOf(normal, target.node));
  if (normal.times.size() < kMinNormalRows)
    return InvalidArgument("{}: {} rows of normal time; at least {} are needed to know what is usual", normal.path,
                           normal.times.size(), kMinNormalRows);
  // Several windows must fit into normal time: a longer incident is compared with shorter stretches of it.
  constexpr size_t kLeastWindows = 4;
  const size_t rows = std::min(window.times.size(), normal.times.size() / kLeastWindows);
  std::vector<WindowJudge> judges;
  for (const std::string& statistic : StatisticsOf(normal, target))
    judges.emplace_back(normal, graph, SeriesKey{target.node, target.metric, statistic}, rows);
  WindowVerdict verdict = Best(judges, window, {0, window.times.size()});
  Ranking ranking;
  ranking.strength = verdict.strength;
  ranking.threshold = Threshold(judges, normal, rows);
  if (verdict.strength <= ranking.threshold) return ranking;
  ranking.causes = std::move(verdict.causes);
  if (ranking.causes.size() > kMaxRankedCauses) ranking.causes.resize(kMaxRankedCauses);
  return ranking;
}

absl::StatusOr<Ranking> RankCausesOfFiles(const std::string& window_path, const std::string& normal_path,
                                          const std::string& graph_path, const SeriesKey& target) {
  OMNIX_ASSIGN_OR_RETURN(const CallGraph graph, ReadCallGraph(graph_path));
  if (!graph.Has(target.node)) return InvalidArgument("{}: the graph has no component '{}'", graph_path, target.node);
  const std::vector<std::string> reachable = graph.Reachable(target.node);
  const std::set<std::string> nodes(reachable.begin(), reachable.end());
  const auto wanted = [&](const SeriesKey& key) { return nodes.count(key.node) > 0; };
  OMNIX_ASSIGN_OR_RETURN(const MetricTable normal, ReadMetricTable(normal_path, wanted));
  OMNIX_ASSIGN_OR_RETURN(const MetricTable window, ReadMetricTable(window_path, wanted));
  return RankCauses(window, normal, graph, target);
}

}  // namespace omnix
