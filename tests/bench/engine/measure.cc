#include "tests/bench/engine/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

namespace omnix::bench {
namespace {

void Sleep(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

}  // namespace

void WarmUp(World& world, double seconds) {
  WaitFor([&] { return world.board().steps > 0; }, "the first step; see " + world.folder());
  Sleep(seconds);
}

Figures Measure(World& world, double seconds) {
  world.board().latency.Clear();
  const uint64_t steps = world.board().steps;
  const uint64_t syncs = world.syncs();
  const double cpu = world.CpuSeconds();
  const double own = world.orchestrator().CpuSeconds();
  const uint64_t bytes = world.JournalBytes();
  const uint64_t began = MonotonicNs();
  Sleep(seconds);
  const double measured = static_cast<double>(MonotonicNs() - began) / 1e9;
  const double done = std::max(1.0, static_cast<double>(world.board().steps - steps));
  return {{"steps_per_second", done / measured},
          {"step_p50_ms", world.board().latency.QuantileMs(0.50)},
          {"step_p99_ms", world.board().latency.QuantileMs(0.99)},
          {"syncs_per_step", static_cast<double>(world.syncs() - syncs) / done},
          {"cpu_us_per_step", (world.CpuSeconds() - cpu) * 1e6 / done},
          {"orchestrator_cpu_us_per_step", (world.orchestrator().CpuSeconds() - own) * 1e6 / done},
          {"journal_bytes_per_step", static_cast<double>(world.JournalBytes() - bytes) / done},
          {"orchestrator_rss_mb", static_cast<double>(world.orchestrator().ResidentBytes()) / (1 << 20)}};
}

Figures Median(const std::vector<Figures>& rounds) {
  Figures median;
  for (const auto& [name, unused] : rounds.front()) {
    std::vector<double> values;
    for (const auto& round : rounds) values.push_back(round.at(name));
    std::nth_element(values.begin(), values.begin() + static_cast<long>(values.size() / 2), values.end());
    median[name] = values[values.size() / 2];
  }
  return median;
}

Json Line(const std::string& bench, const RoundOptions& round, const Figures& figures) {
  Json line = {{"bench", bench}, {"in_flight", round.in_flight}, {"evidence_per_step", round.evidence}};
  for (const auto& [name, value] : figures) line[name] = std::stod(fmt::format("{:.4g}", value));
  return line;
}

double Ratio(double a, double b) { return std::stod(fmt::format("{:.3f}", b > 0 ? a / b : 0)); }

void Print(const Json& line) {
  std::puts(line.dump().c_str());
  std::fflush(stdout);
}

}  // namespace omnix::bench
