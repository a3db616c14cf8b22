// omnix-simulation: runs seeds of the simulation, and replays one (docs/testing.md).
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <vector>

#include "tests/simulation/report.h"
#include "tests/simulation/simulation.h"

namespace omnix::simulation {
namespace {

constexpr int kExitBroken = 1;
constexpr int kExitUsage = 2;

struct Range {
  uint64_t first = 1;
  uint64_t last = 1000;
};

struct Options {
  uint64_t jobs = 1;
  bool forever = false;
  bool keep_going = false;
};

bool ReadRange(const std::string& text, Range& range) {
  const size_t dots = text.find("..");
  if (dots == std::string::npos) return false;
  return CLI::detail::lexical_cast(text.substr(0, dots), range.first) &&
         CLI::detail::lexical_cast(text.substr(dots + 2), range.last) && range.first <= range.last;
}

// Runs the seeds first, first + jobs, ... and prints the first failure, or one line for each.
int RunShare(Range range, const Options& options, Summary& summary) {
  for (uint64_t seed = range.first; options.forever || seed <= range.last; seed += options.jobs) {
    const Outcome outcome = RunSeed(seed, /*keep_trace=*/false);
    summary.Add(outcome);
    if (outcome.broken.empty()) continue;
    if (options.keep_going) {
      fmt::print("seed {}: {}\n", seed, outcome.broken);
      continue;
    }
    PrintFailure(RunSeed(seed, /*keep_trace=*/true));
    return kExitBroken;
  }
  return summary.failed == 0 ? 0 : kExitBroken;
}

// A process for each share: the runs of one process come one after the other.
int RunInProcesses(Range range, const Options& options) {
  std::vector<Share> shares;
  for (uint64_t job = 0; job < options.jobs; ++job) {
    shares.push_back(Share::Fork([&, job](Summary& summary) {
      Range share = range;
      share.first += job;
      return RunShare(share, options, summary);
    }));
  }
  Summary all;
  int result = 0;
  for (auto& share : shares) result = std::max(result, share.Join(all));
  all.Print();
  return result;
}

int Main(int argc, char** argv) {
  CLI::App app("Runs the real engine, core and agent link on a virtual clock, with faults, from seeds.",
               "omnix-simulation");
  std::string seeds = "1..1000";
  uint64_t seed = 0;
  Options options;
  auto* one = app.add_option("--seed", seed, "replay this seed and print its trace");
  app.add_option("--seeds", seeds, "run these seeds, A..B")->excludes(one)->capture_default_str();
  app.add_flag("--forever", options.forever, "go on after the last seed until one fails")->excludes(one);
  app.add_flag("--keep-going", options.keep_going, "print one line for each seed that fails, and go on")->excludes(one);
  app.add_option("--jobs", options.jobs, "processes to run them in")->check(CLI::Range(1, 256))->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  // What the engine would tell an operator about each fault.
  spdlog::set_level(spdlog::level::off);
  if (*one) return PrintRun(RunSeed(seed, /*keep_trace=*/true)) ? 0 : kExitBroken;
  Range range;
  if (!ReadRange(seeds, range)) {
    fmt::print(stderr, "omnix-simulation: --seeds {}: expected A..B\n", seeds);
    return kExitUsage;
  }
  return RunInProcesses(range, options);
}

}  // namespace
}  // namespace omnix::simulation

int main(int argc, char** argv) { return omnix::simulation::Main(argc, argv); }
