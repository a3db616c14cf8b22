// Memory of omnixd and the time of its start with many incidents that wait for an approval.
//
//   omnix-bench-waiting [--rounds 3] [--waiting 0 --waiting 10000 ...] [--events 17] [--keep FOLDER]
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <thread>
#include <vector>

#include "common/http_client.h"
#include "common/json.h"
#include "tests/bench/support/board.h"
#include "tests/bench/support/child.h"
#include "tests/bench/waiting/journal_maker.h"

namespace omnix::bench {
namespace {

constexpr double kNsPerMs = 1e6;
// What the process gives back to the system soon after its start is not what it needs.
constexpr auto kSettle = std::chrono::seconds(2);

struct Options {
  int rounds = 3;
  std::string keep;
};

struct Start {
  double ready_ms = 0;
  double cpu_ms = 0;
  uint64_t resident_bytes = 0;
  uint64_t open_incidents = 0;
};

struct Answer {
  bool ok = false;
  Json body;
};

Answer Get(const std::string& url) {
  HttpRequest request;
  request.url = url;
  const auto response = SendHttp(request);
  if (!response.ok() || response->status != 200) return {};
  const auto body = ParseJson(response->body);
  return {true, body.ok() ? *body : Json()};
}

Start StartOnce(const std::string& data, const std::string& system_file, const std::string& log) {
  const std::string http = fmt::format("127.0.0.1:{}", FreePort());
  const uint64_t began = MonotonicNs();
  Child omnixd({std::string(OMNIX_BIN_FOLDER) + "/omnixd", "--data", data, "--system", system_file, "--grpc",
                fmt::format("127.0.0.1:{}", FreePort()), "--http", http, "--log-level", "warning"},
               log);
  WaitFor(
      [&] {
        if (!omnixd.IsRunning()) Die("omnixd ended; see " + log);
        return Get("http://" + http + "/readyz").ok;
      },
      "omnixd; see " + log);
  Start start;
  start.ready_ms = static_cast<double>(MonotonicNs() - began) / kNsPerMs;
  start.cpu_ms = omnixd.CpuSeconds() * 1e3;
  std::this_thread::sleep_for(kSettle);
  start.resident_bytes = omnixd.ResidentBytes();
  const Answer status = Get("http://" + http + "/v1/status");
  if (!status.ok) Die("GET /v1/status failed");
  start.open_incidents = status.body.value("open_incidents", uint64_t{0});
  return start;
}

template <typename T>
T Median(const std::vector<Start>& starts, T Start::*field) {
  std::vector<T> values;
  for (const Start& start : starts) values.push_back(start.*field);
  std::nth_element(values.begin(), values.begin() + static_cast<long>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

void Measure(const Options& options, const std::string& system_file, const JournalShape& shape) {
  Folder temporary;
  const std::string folder = options.keep.empty() ? temporary.path() : options.keep;
  const std::string data = fmt::format("{}/data-{}x{}", folder, shape.waiting, shape.events_each);
  if (!std::filesystem::exists(data)) MakeJournal(data, system_file, shape);
  const uint64_t journal_bytes = BytesOf(data + "/journal.db");
  std::vector<Start> starts;
  for (int i = 0; i < options.rounds; ++i) {
    starts.push_back(StartOnce(data, system_file, folder + "/omnixd.log"));
    if (starts.back().open_incidents != static_cast<uint64_t>(shape.waiting)) {
      Die(fmt::format("{} incidents are open, not {}", starts.back().open_incidents, shape.waiting));
    }
  }
  const Json line = {{"bench", "waiting"},
                     {"waiting", shape.waiting},
                     {"events", static_cast<int64_t>(shape.waiting) * shape.events_each},
                     {"journal_bytes", journal_bytes},
                     {"ready_ms", Median(starts, &Start::ready_ms)},
                     {"ready_cpu_ms", Median(starts, &Start::cpu_ms)},
                     {"resident_bytes", Median(starts, &Start::resident_bytes)}};
  std::puts(line.dump().c_str());
  std::fflush(stdout);
}

}  // namespace
}  // namespace omnix::bench

int main(int argc, char** argv) {
  using namespace omnix::bench;
  Options options;
  std::vector<std::string> shapes = {"0x17", "10000x17", "10000x25", "100000x17"};
  CLI::App app("Memory and start of omnixd with incidents that wait for an approval.");
  app.add_option("--rounds", options.rounds, "Starts; the median counts")->capture_default_str();
  app.add_option("--shape", shapes, "INCIDENTSxEVENTS_EACH (may be repeated)")->capture_default_str();
  app.add_option("--keep", options.keep,
                 "Folder for the journals, kept and used again for an hour: then the approvals expire");
  CLI11_PARSE(app, argc, argv);
  for (const std::string& text : shapes) {
    JournalShape shape;
    if (std::sscanf(text.c_str(), "%dx%d", &shape.waiting, &shape.events_each) != 2) Die("no shape: " + text);
    Measure(options, std::string(OMNIX_SOURCE_FOLDER) + "/deploy/examples/system.yaml", shape);
  }
}
