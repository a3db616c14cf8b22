#include "agents/investigation/metrics/window_judge.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace omnix {
namespace {

// A target that is not even this many standard deviations off in any row is as usual.
constexpr double kSuspectScales = 2;
// A series that normal time has in nearly every row.
constexpr double kAlwaysThere = 0.95;
// What another metric of a component counts: where the target's metric of it is known, that one says more.
constexpr double kCircumstantial = 0.25;
constexpr double kCircumstantialOnly = 0.5;
// Weight of all of a component's excess beside its own: among components that explain nothing by themselves those come
// first that the cause passes through.
constexpr double kPassedOn = 0.1;
constexpr double kLeastScore = 0.01;
// How unusual it is that a series ends which never did: as a deviation far beyond the usual.
constexpr double kSilenceAnomaly = 2;

double Sum(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum;
}

// Ruzicka's similarity: 1 for equal series, 0 for such that share nothing.
double Overlap(const std::vector<double>& a, const std::vector<double>& b) {
  double common = 0;
  double all = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    common += std::min(a[i], b[i]);
    all += std::max(a[i], b[i]);
  }
  return all > 0 ? common / all : 0;
}

void ScaleTo(double sum, std::vector<double>* values) {
  const double own = Sum(*values);
  if (own <= 0) return;
  for (double& value : *values) value *= sum / own;
}

double At(const Values* values, size_t row) {
  return values == nullptr ? std::numeric_limits<double>::quiet_NaN() : (*values)[row];
}

// The node's count of requests: the statistic that sums up, where there are several.
SeriesKey RequestsOf(const MetricTable& table, const std::string& node) {
  SeriesKey best;
  for (const auto& [key, values] : table.series) {
    if (key.node != node || KindOf(key.metric) != MetricKind::kThroughput) continue;
    if (best.node.empty() || key.statistic == "Sum" || key.statistic == "sum" || key.statistic == "count") best = key;
  }
  return best;
}

double Presence(const Values* values) {
  if (values == nullptr || values->empty()) return 0;
  const auto there = std::count_if(values->begin(), values->end(), [](double v) { return !std::isnan(v); });
  return static_cast<double>(there) / static_cast<double>(values->size());
}

}  // namespace

// The target in the window.
struct WindowJudge::Rows {
  Window window;
  // Excess over the usual, never below 0, and the rows in which there is none (for their medians).
  std::vector<double> excess;
  std::vector<size_t> quiet;
  // Requests of the target, NaN where not known.
  std::vector<double> requests;
  double anomaly = 0;
  bool unusual = false;
  // Nothing was measured in so many rows that this is the anomaly.
  bool silent = false;

  // The quiet rows, as rows of the table.
  std::vector<size_t> RowsAtRest() const {
    std::vector<size_t> at_rest;
    for (const size_t row : quiet) at_rest.push_back(window.begin + row);
    return at_rest;
  }

  // Takes off what was there when the target was quiet, then what is below 0 (step 3 of rank.h).
  void TakeOffQuiet(std::vector<double>* values) const {
    double level = 0;
    if (!quiet.empty()) {
      std::vector<double> at_rest;
      for (const size_t row : quiet) at_rest.push_back((*values)[row]);
      level = Median(std::move(at_rest));
    }
    for (double& value : *values) value = std::max(0.0, value - level);
  }
};

WindowJudge::WindowJudge(const MetricTable& normal, const CallGraph& graph, const SeriesKey& target, size_t window_rows)
    : target_(target), kind_(KindOf(target.metric)) {
  std::map<std::string, size_t> places;
  for (const std::string& name : graph.Reachable(target.node)) {
    places[name] = nodes_.size();
    AddNode(normal, name, window_rows);
  }
  for (Node& node : nodes_) {
    for (const std::string& callee : graph.Callees(node.name)) node.callees.push_back(places[callee]);
  }
}

void WindowJudge::AddNode(const MetricTable& normal, const std::string& name, size_t window_rows) {
  Node& node = nodes_.emplace_back();
  node.name = name;
  node.key = {name, target_.metric, target_.statistic};
  if (const Values* values = normal.Find(node.key)) node.baseline = MakeBaseline(*values, kind_, window_rows);
  node.requests = RequestsOf(normal, name);
  node.requests_presence = Presence(normal.Find(node.requests));
  if (name == target_.node) return;
  for (auto at = normal.series.lower_bound({name, "", ""}); at != normal.series.end() && at->first.node == name; ++at) {
    const MetricKind kind = KindOf(at->first.metric);
    if (at->first.metric == target_.metric || kind == MetricKind::kThroughput) continue;
    Baseline baseline = MakeBaseline(at->second, kind, window_rows);
    if (baseline.known) node.others.push_back({at->first, baseline});
  }
}

WindowJudge::Rows WindowJudge::ReadTarget(const MetricTable& table, const Window& window) const {
  const Node& node = nodes_[0];
  const Values* values = table.Find(node.key);
  const Values* requests = table.Find(node.requests);
  Rows rows;
  rows.window = window;
  rows.requests.resize(window.size);
  for (size_t i = 0; i < window.size; ++i) rows.requests[i] = At(requests, window.begin + i);
  if (!node.baseline.known) return rows;
  size_t missing = 0;
  for (size_t i = 0; i < window.size; ++i) missing += std::isnan(At(values, window.begin + i)) ? 1 : 0;
  if (node.baseline.presence >= kAlwaysThere && missing * 3 >= window.size) {
    rows.silent = rows.unusual = true;
    rows.anomaly = kSilenceAnomaly;
    for (size_t i = 0; i < window.size; ++i) rows.excess.push_back(std::isnan(At(values, window.begin + i)) ? 1 : 0);
    return rows;
  }
  if (values == nullptr) return rows;
  const Anomaly anomaly = omnix::Judge(node.baseline, *values, window);
  rows.anomaly = anomaly.size;
  double most = 0;
  for (size_t i = 0; i < window.size; ++i) {
    const double value = (*values)[window.begin + i];
    rows.excess.push_back(std::isnan(value) ? 0 : anomaly.side * (value - node.baseline.median));
    most = std::max(most, rows.excess.back() / node.baseline.scale);
  }
  rows.unusual = most >= kSuspectScales;
  for (size_t i = 0; i < window.size; ++i) {
    if (rows.excess[i] / node.baseline.scale < std::min(kSuspectScales, most / 2)) rows.quiet.push_back(i);
  }
  rows.TakeOffQuiet(&rows.excess);
  return rows;
}

std::vector<bool> WindowJudge::SilentRows(const Node& node, const MetricTable& table, const Rows& rows) const {
  std::vector<bool> silent(rows.window.size, false);
  const bool counted = node.requests_presence >= kAlwaysThere;
  if (!counted && node.baseline.presence < kAlwaysThere) return silent;
  // Where requests are counted, a count of 0 says that it was not called, which is no silence.
  const Values* values = table.Find(counted ? node.requests : node.key);
  for (size_t i = 0; i < rows.window.size; ++i) silent[i] = std::isnan(At(values, rows.window.begin + i));
  return silent;
}

bool WindowJudge::LookAtFlow(const Node& node, const MetricTable& table, const Rows& rows, View* view) const {
  if (kind_ == MetricKind::kThroughput || kind_ == MetricKind::kOther || node.requests.node.empty() || rows.silent)
    return false;
  const Values* values = table.Find(node.key);
  const Values* requests = table.Find(node.requests);
  const bool countable =
      std::any_of(rows.requests.begin(), rows.requests.end(), [](double count) { return count > 0; });
  if (values == nullptr || requests == nullptr || !countable || !node.baseline.known) return false;
  view->excess.assign(rows.window.size, 0);
  for (size_t i = 0; i < rows.window.size; ++i) {
    const double value = At(values, rows.window.begin + i);
    const double ratio = At(requests, rows.window.begin + i) / rows.requests[i];
    if (!std::isnan(value) && std::isfinite(ratio))
      view->excess[i] = node.baseline.bad_side * (value - node.baseline.median) * ratio;
  }
  view->anomaly = omnix::Judge(node.baseline, *values, rows.window, rows.RowsAtRest()).size;
  rows.TakeOffQuiet(&view->excess);
  return true;
}

WindowJudge::View WindowJudge::LookAtShape(const SeriesKey& key, const Baseline& baseline, const MetricTable& table,
                                           const Rows& rows) const {
  View view;
  view.excess.assign(rows.window.size, 0);
  const Values* values = table.Find(key);
  if (values == nullptr || !baseline.known) return view;
  const Anomaly anomaly = omnix::Judge(baseline, *values, rows.window, rows.RowsAtRest());
  view.anomaly = anomaly.size;
  for (size_t i = 0; i < rows.window.size; ++i) {
    const double value = (*values)[rows.window.begin + i];
    if (!std::isnan(value)) view.excess[i] = anomaly.side * (value - baseline.median);
  }
  rows.TakeOffQuiet(&view.excess);
  ScaleTo(Sum(rows.excess), &view.excess);
  return view;
}

WindowJudge::View WindowJudge::Look(const Node& node, const MetricTable& table, const Rows& rows) const {
  View view;
  if (&node == &nodes_[0]) {
    view.excess = rows.excess;
    view.anomaly = rows.anomaly;
    view.silent.assign(rows.window.size, rows.silent);
    return view;
  }
  if (!LookAtFlow(node, table, rows, &view)) view = LookAtShape(node.key, node.baseline, table, rows);
  view.silent = SilentRows(node, table, rows);
  for (size_t i = 0; i < rows.window.size; ++i) {
    if (!view.silent[i] || rows.excess[i] <= 0) continue;
    view.excess[i] = rows.excess[i];
    view.anomaly = std::max(view.anomaly, kSilenceAnomaly);
  }
  return view;
}

RankedCause WindowJudge::BestOther(const Node& node, const MetricTable& table, const Rows& rows) const {
  RankedCause best{node.name, target_.metric, 0};
  for (const OtherSeries& other : node.others) {
    const View view = LookAtShape(other.key, other.baseline, table, rows);
    const double weight = node.baseline.known ? kCircumstantial : kCircumstantialOnly;
    const double score = weight * Overlap(view.excess, rows.excess) * std::min(1.0, view.anomaly);
    if (score > best.score) best = {node.name, other.key.metric, score};
  }
  return best;
}

WindowVerdict WindowJudge::Judge(const MetricTable& table, const Window& window) const {
  WindowVerdict verdict;
  const Rows rows = ReadTarget(table, window);
  if (!rows.unusual || Sum(rows.excess) <= 0) return verdict;
  std::vector<View> views;
  for (const Node& node : nodes_) views.push_back(Look(node, table, rows));
  double strength = 0;
  double best = 0;
  for (size_t n = 0; n < nodes_.size(); ++n) {
    const Node& node = nodes_[n];
    std::vector<double> own = views[n].excess;
    for (const size_t callee : node.callees) {
      for (size_t i = 0; i < own.size(); ++i)
        own[i] = std::max(0.0, own[i] - views[callee].excess[i] * std::min(1.0, views[callee].anomaly));
    }
    const double overlap = Overlap(own, rows.excess);
    const double passed = Overlap(views[n].excess, rows.excess);
    RankedCause cause{node.name, target_.metric,
                      std::min(1.0, views[n].anomaly) * ((1 - kPassedOn) * overlap + kPassedOn * passed)};
    if (cause.score > best) {
      best = cause.score;
      strength = overlap * std::sqrt(rows.anomaly * views[n].anomaly);
    }
    if (RankedCause other = BestOther(node, table, rows); other.score > cause.score) cause = std::move(other);
    if (cause.score >= kLeastScore) verdict.causes.push_back(std::move(cause));
  }
  verdict.strength = strength;
  std::stable_sort(verdict.causes.begin(), verdict.causes.end(),
                   [](const RankedCause& a, const RankedCause& b) { return a.score > b.score; });
  return verdict;
}

}  // namespace omnix
