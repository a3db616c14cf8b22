// One measurement of a world, and what to make of several.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/json.h"
#include "tests/bench/engine/world.h"

namespace omnix::bench {

using Figures = std::map<std::string, double>;

// Steps, latencies, syncs, CPU time and journal bytes of the next `seconds`.
Figures Measure(World& world, double seconds);

// Waits for the first step, and then for so long.
void WarmUp(World& world, double seconds);

// Figure by figure the median of the rounds.
Figures Median(const std::vector<Figures>& rounds);

Json Line(const std::string& bench, const RoundOptions& round, const Figures& figures);
double Ratio(double a, double b);
void Print(const Json& line);

}  // namespace omnix::bench
