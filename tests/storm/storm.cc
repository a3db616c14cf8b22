#include "tests/storm/storm.h"

#include <algorithm>
#include <thread>

namespace omnix::storm {
namespace {

constexpr auto kSampleInterval = std::chrono::milliseconds(20);
constexpr uint64_t kEarlyShare = 10;

double Mib(uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

}  // namespace

StormFigures RunStorm(Server& server, FloodOptions options) {
  options.port = server.http_port();
  StormFigures figures;
  figures.resident_mib_before = Mib(server.ResidentBytes());
  const double cpu = server.CpuSeconds();
  std::atomic<uint64_t> progress = 0;
  std::atomic<bool> over = false;
  OperatorProbe probe(server.grpc_address());
  bench::DiskProbe disk(server.folder() + "/disk-probe");
  std::thread sampler([&] {
    while (!over) {
      disk.Sync();
      const double now = Mib(server.ResidentBytes());
      if (progress * kEarlyShare <= options.alerts) figures.resident_mib_early = now;
      figures.resident_mib_most = std::max(figures.resident_mib_most, now);
      std::this_thread::sleep_for(kSampleInterval);
    }
  });
  figures.flood = Flood(options, &progress);
  over = true;
  sampler.join();
  figures.disk = disk.Result();
  figures.operators = probe.Stop();
  const auto acknowledged = static_cast<double>(std::max<uint64_t>(figures.flood.acknowledged, 1));
  figures.cpu_us_per_alert = (server.CpuSeconds() - cpu) * 1e6 / acknowledged;
  figures.incidents = server.CountInJournal("SELECT count(*) FROM incidents");
  figures.kept = server.CountInJournal("SELECT count(DISTINCT fingerprint) FROM alerts");
  figures.counted = server.CountInJournal("SELECT sum(count) FROM alerts");
  return figures;
}

}  // namespace omnix::storm
