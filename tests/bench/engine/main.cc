// Steps per second and latency of the engine, and of a bare program of the same shape beside it.
//
//   omnix-bench-engine [--rounds 3] [--seconds 3] [--in-flight 1 --in-flight 100 ...] [--evidence 0 --evidence 3]
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <map>

#include "common/json.h"
#include "tests/bench/engine/world.h"

namespace omnix::bench {
namespace {

struct Options {
  int rounds = 3;
  double seconds = 3;
  double warm_up_seconds = 1;
  std::vector<uint32_t> in_flight = {1, 100, 1000};
  std::vector<int> evidence = {0};
};

using Figures = std::map<std::string, double>;

void Sleep(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

Figures Measure(World& world, const Options& options) {
  WaitFor([&] { return world.board().steps > 0; }, "the first step; see " + world.folder());
  Sleep(options.warm_up_seconds);
  world.board().latency.Clear();
  const uint64_t steps = world.board().steps;
  const uint64_t syncs = world.syncs();
  const double cpu = world.CpuSeconds();
  const double own = world.orchestrator().CpuSeconds();
  const uint64_t bytes = world.JournalBytes();
  const uint64_t began = MonotonicNs();
  Sleep(options.seconds);
  const double seconds = static_cast<double>(MonotonicNs() - began) / 1e9;
  const double done = std::max(1.0, static_cast<double>(world.board().steps - steps));
  return {{"steps_per_second", done / seconds},
          {"step_p50_ms", world.board().latency.QuantileMs(0.50)},
          {"step_p99_ms", world.board().latency.QuantileMs(0.99)},
          {"syncs_per_step", static_cast<double>(world.syncs() - syncs) / done},
          {"cpu_us_per_step", (world.CpuSeconds() - cpu) * 1e6 / done},
          {"orchestrator_cpu_us_per_step", (world.orchestrator().CpuSeconds() - own) * 1e6 / done},
          {"journal_bytes_per_step", static_cast<double>(world.JournalBytes() - bytes) / done},
          {"orchestrator_rss_mb", static_cast<double>(world.orchestrator().ResidentBytes()) / (1 << 20)}};
}

// Figure by figure the median of the rounds.
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

void Print(const Json& line) {
  std::puts(line.dump().c_str());
  std::fflush(stdout);
}

double Ratio(double a, double b) { return std::stod(fmt::format("{:.3f}", b > 0 ? a / b : 0)); }

void Compare(const Options& options, const RoundOptions& round) {
  std::vector<Figures> ceiling;
  std::vector<Figures> engine;
  for (int i = 0; i < options.rounds; ++i) {
    ceiling.push_back([&] {
      CeilingWorld world(round);
      return Measure(world, options);
    }());
    EngineWorld world(round);
    engine.push_back(Measure(world, options));
  }
  const Figures limit = Median(ceiling);
  const Figures own = Median(engine);
  Print(Line("ceiling", round, limit));
  Json line = Line("engine", round, own);
  line["ratio_to_ceiling"] = Ratio(own.at("steps_per_second"), limit.at("steps_per_second"));
  line["p50_to_ceiling"] = Ratio(own.at("step_p50_ms"), limit.at("step_p50_ms"));
  line["p99_to_ceiling"] = Ratio(own.at("step_p99_ms"), limit.at("step_p99_ms"));
  Print(line);
}

}  // namespace
}  // namespace omnix::bench

int main(int argc, char** argv) {
  using namespace omnix::bench;
  Options options;
  CLI::App app("Steps per second of omnixd with five agents, and of a bare program of the same shape.");
  app.add_option("--rounds", options.rounds, "Rounds of each; the median counts")->capture_default_str();
  app.add_option("--seconds", options.seconds, "Measured time of a round")->capture_default_str();
  app.add_option("--in-flight", options.in_flight, "Incidents in flight (may be repeated)")->capture_default_str();
  app.add_option("--evidence", options.evidence, "Evidence events a step (may be repeated)")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  for (const int evidence : options.evidence) {
    for (const uint32_t in_flight : options.in_flight) Compare(options, {in_flight, evidence});
  }
}
