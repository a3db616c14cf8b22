// Throughput with a large journal beside that with a small one: the same omnixd, before and after a million events.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "tests/bench/engine/measure.h"
#include "tests/bench/engine/world.h"

namespace omnix::bench {
namespace {

struct Options {
  uint32_t in_flight = 100;
  uint64_t small = 10'000;
  uint64_t large = 1'000'000;
  int rounds = 5;
  double seconds = 2;
};

std::vector<Figures> MeasureFrom(EngineWorld& world, uint64_t events, const Options& options) {
  while (world.Events() < events) WarmUp(world, 0.1);
  std::vector<Figures> rounds;
  for (int i = 0; i < options.rounds; ++i) rounds.push_back(Measure(world, options.seconds));
  return rounds;
}

void Run(const Options& options) {
  const RoundOptions round{options.in_flight, 0};
  std::vector<Figures> small;
  std::vector<Figures> large;
  {
    EngineWorld world(round);
    large = MeasureFrom(world, options.large, options);
  }
  for (int i = 0; i < options.rounds; ++i) {
    EngineWorld world(round);
    Options once = options;
    once.rounds = 1;
    small.push_back(MeasureFrom(world, options.small, once).front());
  }
  const auto print = [&](uint64_t events, const std::vector<Figures>& rounds) {
    Json line = Line("growth", round, Median(rounds));
    line["events_before"] = events;
    if (events == options.large) {
      line["ratio_to_small"] = Ratio(Median(large).at("steps_per_second"), Median(small).at("steps_per_second"));
    }
    Print(line);
  };
  print(options.small, small);
  print(options.large, large);
}

}  // namespace
}  // namespace omnix::bench

int main(int argc, char** argv) {
  using namespace omnix::bench;
  Options options;
  CLI::App app("Steps per second of omnixd with a small journal and with a large one.");
  app.add_option("--in-flight", options.in_flight, "Incidents in flight")->capture_default_str();
  app.add_option("--small", options.small, "Events in the small journal")->capture_default_str();
  app.add_option("--large", options.large, "Events in the large journal")->capture_default_str();
  app.add_option("--rounds", options.rounds, "Rounds of each; the median counts")->capture_default_str();
  app.add_option("--seconds", options.seconds, "Measured time of a round")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  Run(options);
}
