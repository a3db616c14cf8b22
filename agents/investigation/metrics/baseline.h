// What is usual for one time series, and how unusual a window of it is.
#pragma once

#include <cstddef>
#include <vector>

#include "agents/investigation/metrics/table.h"

namespace omnix {

// What a metric's name says about it: which side is bad, and whether it adds up along a call.
enum class MetricKind {
  kDuration,    // "latency", "duration": more is worse; time spent in a callee is time spent in its caller
  kGoodShare,   // "availability", "success": less is worse; failures pass from callee to caller
  kBadShare,    // "error", "failure": more is worse
  kThroughput,  // "requests", "calls": neither side is bad by itself
  kOther,       // neither side is bad by itself
};
MetricKind KindOf(const std::string& metric);

// The value below which `share` (0 to 1) of the values lie, between two of them by interpolation; NaN where there are
// none. Values that are NaN are left out.
double Quantile(std::vector<double> values, double share);
double Median(std::vector<double> values);

// Rows of a table.
struct Window {
  size_t begin = 0;
  size_t size = 0;
};

struct Baseline {
  // False where there was too little to know what is usual; nothing else is set then.
  bool known = false;
  // Share of rows with a value.
  double presence = 0;
  double median = 0;
  // The standard deviation, as the inter-quartile range tells it.
  double scale = 0;
  // +1: high values are bad; -1: low ones; 0: both.
  int bad_side = 0;
  // The deviation (as in Deviation) that one in twenty usual windows exceeds, upwards and downwards.
  double tail_up = 0;
  double tail_down = 0;

  double Tail(int side) const { return side > 0 ? tail_up : tail_down; }
};

// The mean of the largest third of a window's deviations from the baseline towards `side`: what lasts for a part of the
// window counts, one odd value in many does not. NaN where no value is there.
double Deviation(const Values& values, const Window& window, double median, int side);

// `window_rows`: the length of the windows that will be judged.
Baseline MakeBaseline(const Values& normal, MetricKind kind, size_t window_rows);

struct Anomaly {
  // The bad side, or the one that deviates more where both are.
  int side = 1;
  // The deviation, in units of what one in twenty usual windows exceeds. Never below 0.
  double size = 0;
};
// `rest`: rows (of the table) whose median counts as usual where it is worse than the usual: the level had moved
// before.
Anomaly Judge(const Baseline& baseline, const Values& values, const Window& window,
              const std::vector<size_t>& rest = {});

}  // namespace omnix
