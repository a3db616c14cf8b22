#include "agents/investigation/metrics/baseline.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>

namespace omnix {
namespace {

// Quartiles of fewer values say little.
constexpr size_t kMinValues = 8;
// Inter-quartile range of a normal distribution with standard deviation 1.
constexpr double kNormalIqr = 1.349;
// A series that never moves: half a percent of its level counts as its noise.
constexpr double kLeastRelativeScale = 0.005;
constexpr double kTailShare = 0.95;
// A tail is not narrower than what normal noise alone would give.
constexpr double kTailScales = 3;
// Windows that a tail is taken from, spread over the whole of normal time.
constexpr size_t kMaxWindows = 1000;

std::string ToLower(const std::string& text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

template <size_t kSize>
bool HasAny(const std::string& name, const std::array<std::string_view, kSize>& words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return name.find(word) != std::string::npos; });
}

int BadSide(MetricKind kind) {
  switch (kind) {
    case MetricKind::kDuration:
    case MetricKind::kBadShare:
      return 1;
    case MetricKind::kGoodShare:
      return -1;
    case MetricKind::kThroughput:
    case MetricKind::kOther:
      break;
  }
  return 0;
}

}  // namespace

MetricKind KindOf(const std::string& metric) {
  constexpr std::array<std::string_view, 5> kDuration = {"latency", "duration", "response_time", "elapsed", "delay"};
  constexpr std::array<std::string_view, 3> kGood = {"availability", "success", "uptime"};
  constexpr std::array<std::string_view, 5> kBad = {"error", "fail", "fault", "timeout", "reject"};
  constexpr std::array<std::string_view, 5> kThroughput = {"request", "throughput", "calls", "rps", "qps"};
  const std::string name = ToLower(metric);
  if (HasAny(name, kDuration)) return MetricKind::kDuration;
  if (HasAny(name, kGood)) return MetricKind::kGoodShare;
  if (HasAny(name, kBad)) return MetricKind::kBadShare;
  if (HasAny(name, kThroughput)) return MetricKind::kThroughput;
  return MetricKind::kOther;
}

double Quantile(std::vector<double> values, double share) {
  values.erase(std::remove_if(values.begin(), values.end(), [](double v) { return std::isnan(v); }), values.end());
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  const double place = share * static_cast<double>(values.size() - 1);
  const auto low = values.begin() + static_cast<ptrdiff_t>(place);
  std::nth_element(values.begin(), low, values.end());
  if (low + 1 == values.end()) return *low;
  const double next = *std::min_element(low + 1, values.end());
  return *low + (next - *low) * (place - std::floor(place));
}

double Median(std::vector<double> values) { return Quantile(std::move(values), 0.5); }

double Deviation(const Values& values, const Window& window, double median, int side) {
  std::vector<double> deviations;
  deviations.reserve(window.size);
  for (size_t i = window.begin; i < window.begin + window.size; ++i) {
    if (!std::isnan(values[i])) deviations.push_back(side * (values[i] - median));
  }
  if (deviations.empty()) return std::numeric_limits<double>::quiet_NaN();
  const size_t third = std::min((window.size + 2) / 3, deviations.size());
  std::nth_element(deviations.begin(), deviations.begin() + static_cast<ptrdiff_t>(third) - 1, deviations.end(),
                   std::greater<>());
  double sum = 0;
  for (size_t i = 0; i < third; ++i) sum += deviations[i];
  // Of rows without a value nothing is known: they count as usual.
  return sum / static_cast<double>((window.size + 2) / 3);
}

Baseline MakeBaseline(const Values& normal, MetricKind kind, size_t window_rows) {
  Baseline baseline;
  Values values;
  std::copy_if(normal.begin(), normal.end(), std::back_inserter(values), [](double v) { return !std::isnan(v); });
  if (values.size() < kMinValues) return baseline;
  baseline.known = true;
  baseline.presence = static_cast<double>(values.size()) / static_cast<double>(normal.size());
  baseline.bad_side = BadSide(kind);
  baseline.median = Median(values);
  const double iqr = Quantile(values, 0.75) - Quantile(values, 0.25);
  baseline.scale =
      std::max({iqr / kNormalIqr, kLeastRelativeScale * std::abs(baseline.median), std::numeric_limits<double>::min()});
  const size_t rows = std::min(window_rows, normal.size());
  const size_t stride = std::max<size_t>(1, (normal.size() - rows) / kMaxWindows);
  std::vector<double> up, down;
  for (size_t begin = 0; begin + rows <= normal.size(); begin += stride) {
    up.push_back(Deviation(normal, {begin, rows}, baseline.median, 1));
    down.push_back(Deviation(normal, {begin, rows}, baseline.median, -1));
  }
  const double least = kTailScales * baseline.scale;
  baseline.tail_up = std::max(Quantile(std::move(up), kTailShare), least);
  baseline.tail_down = std::max(Quantile(std::move(down), kTailShare), least);
  return baseline;
}

Anomaly Judge(const Baseline& baseline, const Values& values, const Window& window, const std::vector<size_t>& rest) {
  Values at_rest;
  for (const size_t row : rest) at_rest.push_back(values[row]);
  const double level = Median(std::move(at_rest));
  const auto on_side = [&](int side) {
    const bool moved = side * (level - baseline.median) > 0;
    const double deviation = Deviation(values, window, moved ? level : baseline.median, side);
    return Anomaly{side, std::isnan(deviation) ? 0 : std::max(0.0, deviation / baseline.Tail(side))};
  };
  if (!baseline.known) return {};
  if (baseline.bad_side != 0) return on_side(baseline.bad_side);
  const Anomaly up = on_side(1);
  const Anomaly down = on_side(-1);
  return up.size >= down.size ? up : down;
}

}  // namespace omnix
