// Alerts per second that omnixd accepts durably over HTTP, beside a bare program of the same shape; and the time from a
// POST to the first task at an agent.
//
//   omnix-bench-alerts [--rounds 3] [--seconds 3] [--alerts-each 1 --alerts-each 64] [--kind joins_incident ...]
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <thread>
#include <vector>

#include "common/json.h"
#include "tests/bench/alerts/bodies.h"
#include "tests/bench/alerts/load.h"
#include "tests/bench/alerts/servers.h"
#include "tests/bench/support/disk_probe.h"

namespace omnix::bench {
namespace {

struct Options {
  int rounds = 3;
  double seconds = 3;
  double warm_up_seconds = 0.5;
  int connections = 64;
  std::vector<int> alerts_each = {1, 64};
  std::vector<std::string> kinds = {"duplicate", "joins_incident", "opens_incident"};
  int posts_for_latency = 1000;
  // Time between two posts whose latency is measured.
  double pause_ms = 10;
};

using Figures = std::map<std::string, double>;

void Print(const Json& line) {
  std::puts(line.dump().c_str());
  std::fflush(stdout);
}

double Rounded(double value) { return std::stod(fmt::format("{:.4g}", value)); }

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<long>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

Figures Measure(const Server& server, const Options& options, AlertKind kind, int alerts_each) {
  Bodies bodies(kind, alerts_each);
  const auto next = [&]() -> const std::string& { return bodies.Next(); };
  Load load(server.port(), options.connections);
  load.Run(next, options.warm_up_seconds, UINT64_MAX, nullptr);
  auto latency = std::make_unique<Histogram>();
  latency->Clear();
  const double cpu = server.child().CpuSeconds();
  const LoadResult result = load.Run(next, options.seconds, UINT64_MAX, latency.get());
  const double alerts = static_cast<double>(result.answered) * alerts_each;
  return {{"alerts_per_second", alerts / result.seconds},
          {"answer_p50_ms", latency->QuantileMs(0.50)},
          {"answer_p99_ms", latency->QuantileMs(0.99)},
          {"server_cpu_us_per_alert", (server.child().CpuSeconds() - cpu) * 1e6 / alerts},
          {"resident_mb", static_cast<double>(server.child().ResidentBytes()) / (1 << 20)}};
}

Json Line(const std::string& bench, AlertKind kind, int alerts_each, const std::vector<Figures>& rounds) {
  Json line = {{"bench", bench}, {"alerts", NameOf(kind)}, {"alerts_each_post", alerts_each}};
  for (const auto& [name, unused] : rounds.front()) {
    std::vector<double> values;
    for (const Figures& round : rounds) values.push_back(round.at(name));
    line[name] = Rounded(Median(values));
  }
  return line;
}

void Compare(const Options& options, AlertKind kind, int alerts_each) {
  std::vector<Figures> bare;
  std::vector<Figures> own;
  for (int i = 0; i < options.rounds; ++i) {
    bare.push_back(Measure(BareServer(kind == AlertKind::kOpen), options, kind, alerts_each));
    own.push_back(Measure(Omnixd(), options, kind, alerts_each));
  }
  const Json limit = Line("alerts_ceiling", kind, alerts_each, bare);
  Print(limit);
  Json line = Line("alerts", kind, alerts_each, own);
  line["ratio_to_ceiling"] =
      Rounded(line["alerts_per_second"].get<double>() / limit["alerts_per_second"].get<double>());
  Print(line);
}

void MeasureLatency(const Options& options) {
  Folder folder;
  Board* board = MakeBoard(folder / "board");
  const Omnixd omnixd(folder / "board");
  Bodies bodies(AlertKind::kOpen, 1);
  Load load(omnixd.port(), 1);
  // Between two posts: what the disk makes of a commit of its own at that pace.
  DiskProbe disk(folder / "disk-probe");
  // Incidents are numbered from 1 in the order of their alerts.
  for (int number = 1; number <= options.posts_for_latency; ++number) {
    const uint32_t finished = board->finished;
    board->last_heard[static_cast<size_t>(number)] = MonotonicNs();
    load.Run([&]() -> const std::string& { return bodies.Next(); }, 0, 1, nullptr);
    WaitFor([&] { return board->WaitForFinished(finished) != finished; }, "the first task");
    std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(options.pause_ms));
    disk.Sync();
  }
  const DiskSyncs syncs = disk.Result();
  Print({{"bench", "alert_to_task"},
         {"posts", options.posts_for_latency},
         {"post_to_task_p50_ms", Rounded(board->latency.QuantileMs(0.50))},
         {"post_to_task_p99_ms", Rounded(board->latency.QuantileMs(0.99))},
         {"disk_sync_p50_ms", Rounded(syncs.p50_ms)},
         {"disk_sync_p99_ms", Rounded(syncs.p99_ms)},
         {"disk_sync_max_ms", Rounded(syncs.max_ms)}});
}

}  // namespace
}  // namespace omnix::bench

int main(int argc, char** argv) {
  using namespace omnix::bench;
  Options options;
  CLI::App app("Alerts per second of omnixd, and of a bare program of the same shape.");
  app.add_option("--rounds", options.rounds, "Rounds of each; the median counts")->capture_default_str();
  app.add_option("--seconds", options.seconds, "Measured time of a round")->capture_default_str();
  app.add_option("--connections", options.connections, "Keep-alive connections")->capture_default_str();
  app.add_option("--alerts-each", options.alerts_each, "Alerts of a POST (may be repeated)")->capture_default_str();
  app.add_option("--kind", options.kinds, "duplicate, joins_incident, opens_incident")->capture_default_str();
  app.add_option("--latency-posts", options.posts_for_latency, "Posts whose way to the agent is measured; 0: none")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  for (const AlertKind kind : {AlertKind::kDuplicate, AlertKind::kJoin, AlertKind::kOpen}) {
    if (std::ranges::find(options.kinds, NameOf(kind)) == options.kinds.end()) continue;
    for (const int alerts_each : options.alerts_each) Compare(options, kind, alerts_each);
  }
  if (options.posts_for_latency > 0) MeasureLatency(options);
}
