// Steps per second and latency of the engine, and of a bare program of the same shape beside it.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cmath>
#include <memory>

#include "tests/bench/engine/measure.h"
#include "tests/bench/engine/world.h"

namespace omnix::bench {
namespace {

struct Options {
  int rounds = 5;
  double seconds = 3;
  double warm_up_seconds = 1;
  std::vector<uint32_t> in_flight = {1, 100, 1000};
  std::vector<int> evidence = {0, 3};
};

Figures Round(const Options& options, World& world) {
  WarmUp(world, options.warm_up_seconds);
  return Measure(world, options.seconds);
}

// One after the other, again and again, so that both see the same machine.
void Compare(const Options& options, const RoundOptions& round) {
  std::vector<Figures> ceiling;
  std::vector<Figures> engine;
  double after_load_mb = 0;
  for (int i = 0; i < options.rounds; ++i) {
    ceiling.push_back(Round(options, *std::make_unique<CeilingWorld>(round)));
    EngineWorld world(round);
    engine.push_back(Round(options, world));
    if (i + 1 == options.rounds) after_load_mb = static_cast<double>(world.ResidentBytesAfterLoad()) / (1 << 20);
  }
  const Figures limit = Median(ceiling);
  const Figures own = Median(engine);
  Print(Line("ceiling", round, limit));
  Json line = Line("engine", round, own);
  line["orchestrator_rss_after_load_mb"] = std::round(after_load_mb * 10) / 10;
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
