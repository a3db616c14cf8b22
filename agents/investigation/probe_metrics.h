// What Prometheus (SystemModel.prometheus) has of the services' metrics (Service.metrics), ranked against normal time.
#pragma once

#include <string>

#include "agents/investigation/metrics/rank.h"
#include "agents/investigation/scene.h"

namespace omnix {

struct MetricFacts {
  // Of which service's metric the excess is explained.
  SeriesKey target;
  // Best first; never empty.
  std::vector<RankedCause> causes;
  // Requests of the best one's service in the window, as a multiple of what is usual; 0: not known.
  double load = 0;
  std::string evidence;
};

// Range queries for the window of the incident and kNormalTime before it, at most kMaxMetricQueries; one MetricFacts
// for each service that fails or is reported and whose latency or errors are unusual. What Prometheus does not give is
// evidence of source "metrics".
inline constexpr absl::Duration kNormalTime = absl::Hours(3);
inline constexpr absl::Duration kMetricStep = absl::Seconds(15);
inline constexpr size_t kMaxMetricQueries = 16;
void ProbeMetrics(Scene* scene);

}  // namespace omnix
