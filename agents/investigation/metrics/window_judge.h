// Judges one window of a metric table against normal time: steps 2 to 6 of rank.h.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "agents/investigation/metrics/baseline.h"
#include "agents/investigation/metrics/rank.h"
#include "agents/investigation/metrics/table.h"

namespace omnix {

struct WindowVerdict {
  // Best first; empty where the target is as usual.
  std::vector<RankedCause> causes;
  double strength = 0;
};

// Immutable. The graph and the normal table must outlive it.
class WindowJudge {
 public:
  // `window_rows`: the length of the windows that will be judged. `target` is in `normal`.
  WindowJudge(const MetricTable& normal, const CallGraph& graph, const SeriesKey& target, size_t window_rows);

  WindowVerdict Judge(const MetricTable& table, const Window& window) const;

 private:
  // A series of a node other than the target's metric.
  struct OtherSeries {
    SeriesKey key;
    Baseline baseline;
  };
  struct Node {
    std::string name;
    SeriesKey key;
    // Of the target's metric.
    Baseline baseline;
    // Its number of requests; empty node where it has none.
    SeriesKey requests;
    double requests_presence = 0;
    std::vector<OtherSeries> others;
    // Places in nodes_.
    std::vector<size_t> callees;
  };
  // What is seen of one node in one window.
  struct View {
    // Excess in the target's unit, a value a row; never below 0.
    std::vector<double> excess;
    // How unusual, see Anomaly::size.
    double anomaly = 0;
    // Rows in which it stopped reporting.
    std::vector<bool> silent;
  };
  struct Rows;

  void AddNode(const MetricTable& normal, const std::string& name, size_t window_rows);
  Rows ReadTarget(const MetricTable& table, const Window& window) const;
  View Look(const Node& node, const MetricTable& table, const Rows& rows) const;
  // Excess of a series that shares no unit with the target, scaled to the target's.
  View LookAtShape(const SeriesKey& key, const Baseline& baseline, const MetricTable& table, const Rows& rows) const;
  bool LookAtFlow(const Node& node, const MetricTable& table, const Rows& rows, View* view) const;
  std::vector<bool> SilentRows(const Node& node, const MetricTable& table, const Rows& rows) const;
  RankedCause BestOther(const Node& node, const MetricTable& table, const Rows& rows) const;

  SeriesKey target_;
  MetricKind kind_;
  // The target is the first.
  std::vector<Node> nodes_;
};

}  // namespace omnix
