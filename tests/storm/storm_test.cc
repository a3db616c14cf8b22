// Floods of alerts against the real omnixd. The figures are printed; what must hold is bounded.
//
// OMNIX_STORM_ALERTS: different alerts of the storm (default 5,000; what omnixd must take in a minute is 100,000).
// Where it is set, the machine is taken to be quiet, and the 99th percentile of operators' waits is judged, else their
// median.
#include "tests/storm/storm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "tests/storm/slow_senders.h"

namespace omnix::storm {
namespace {

constexpr double kOperatorsMs = 100;
constexpr uint64_t kLargeBatch = 500;
constexpr size_t kPaddingBytes = 2'000;
constexpr double kMaxGrowthMib = 64;
constexpr uint64_t kStormAlerts = 5'000;
// A fifth more than 100,000 in a minute.
constexpr uint64_t kStormAlertsASecond = 2'000;

void Print(const char* name, const StormFigures& figures) {
  std::printf(
      "%s: %lu alerts taken in %.1f s (offered %lu, %lu of %lu requests refused, %lu closed), operators %zu calls p50 "
      "%.1f p99 %.1f max %.1f ms, the disk's own syncs p50 %.1f p99 %.1f max %.1f ms, memory %.0f MiB before, %.0f "
      "early, %.0f at most, %.0f us CPU an alert\n",
      name, figures.flood.acknowledged, figures.flood.seconds, figures.flood.offered, figures.flood.refused,
      figures.flood.requests, figures.flood.closed, figures.operators.calls, figures.operators.p50_ms,
      figures.operators.p99_ms, figures.operators.max_ms, figures.disk.p50_ms, figures.disk.p99_ms, figures.disk.max_ms,
      figures.resident_mib_before, figures.resident_mib_early, figures.resident_mib_most, figures.cpu_us_per_alert);
}

void ExpectNothingLost(const StormFigures& figures) {
  EXPECT_GE(figures.counted, figures.flood.acknowledged);
  EXPECT_EQ(figures.flood.unexpected, 0u);
  EXPECT_EQ(figures.flood.without_advice, 0u) << "503 without Retry-After";
  EXPECT_EQ(figures.operators.failures, 0u);
  EXPECT_GT(figures.operators.calls, 10u);
}

bool IsMeasuring() { return std::getenv("OMNIX_STORM_ALERTS") != nullptr; }

// Senders and whatever else runs take the same cores: single waits say something on a quiet machine only.
void ExpectQuickAnswers(const StormFigures& figures) {
  EXPECT_LT(figures.operators.p50_ms, kOperatorsMs);
  if (IsMeasuring()) {
    EXPECT_LT(figures.operators.p99_ms, kOperatorsMs);
  }
}

uint64_t StormAlerts() {
  const char* text = std::getenv("OMNIX_STORM_ALERTS");
  return text == nullptr ? kStormAlerts : std::strtoull(text, nullptr, 10);
}

TEST(Storm, OfOneFailureIsOneIncident) {
  FloodOptions options;
  options.alerts = StormAlerts();
  options.alerts_a_second = kStormAlertsASecond;
  Server server;
  const StormFigures figures = RunStorm(server, options);
  Print("storm", figures);
  ExpectNothingLost(figures);
  EXPECT_EQ(figures.flood.acknowledged, options.alerts) << "within a minute";
  EXPECT_EQ(figures.kept, options.alerts);
  EXPECT_EQ(figures.incidents, 1u);
  ExpectQuickAnswers(figures);
  EXPECT_LT(figures.resident_mib_most, figures.resident_mib_early + kMaxGrowthMib);
}

// Senders that do not wait when they are told to, with bodies of a megabyte, more than omnixd reads at a time.
TEST(Storm, OverloadIsRefusedAndNothingAcknowledgedIsLost) {
  FloodOptions options;
  options.alerts = 100'000'000;
  options.connections = 250;
  options.batch = kLargeBatch;
  options.padding_bytes = kPaddingBytes;
  options.singles_percent = 0;
  options.different = 2000;
  options.pause_after_refusal = std::chrono::milliseconds(0);
  options.deadline = std::chrono::seconds(5);
  Server server;
  const StormFigures figures = RunStorm(server, options);
  Print("overload", figures);
  ExpectNothingLost(figures);
  EXPECT_GT(figures.flood.refused, 0u);
  ExpectQuickAnswers(figures);
  EXPECT_LT(figures.resident_mib_most, figures.resident_mib_before + 256);
}

class SlowStorm : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

// Places for 256 connections, wanted by 1,000 that send a byte a second.
TEST_P(SlowStorm, SendersKeepNobodyOut) {
  RaiseOpenFiles();
  Server server;
  const AlertWaits alone = SendAlertsOneByOne(server.http_port(), 50, 1);
  const SlowSenders slow(server.http_port(), 1000, GetParam().first, GetParam().second);
  // Their places are free for others once they have been slow for a moment.
  SendAlertsOneByOne(server.http_port(), 5, 1'000);
  const AlertWaits beside = SendAlertsOneByOne(server.http_port(), 100, 2'000);
  std::printf("1,000 slow senders: alert p50 %.1f max %.1f ms, without them %.1f and %.1f; %zu still open\n",
              beside.p50_ms, beside.max_ms, alone.p50_ms, alone.max_ms, slow.open());
  EXPECT_EQ(beside.refused, 0u);
  EXPECT_LT(beside.p50_ms, alone.p50_ms + 100);
  EXPECT_LE(slow.open(), 384u);
  EXPECT_TRUE(server.IsRunning());
}

constexpr char kHead[] = "POST /v1/alerts/omnix HTTP/1.1\r\nHost: localhost\r\n";
constexpr char kBody[] =
    "POST /v1/alerts/omnix HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    "Content-Length: 8000000\r\n\r\n{";
INSTANTIATE_TEST_SUITE_P(Slow, SlowStorm,
                         ::testing::Values(std::pair(kHead, "X-Slow: 1\r\n"), std::pair(kBody, "\"title\":\"x\",")),
                         [](const auto& test) { return test.index == 0 ? "Heads" : "Bodies"; });

TEST(Storm, HeadsThatNeverEndAreClosed) {
  Server server;
  const SlowSenders slow(server.http_port(), 100, kHead, "X-Slow: 1\r\n");
  bench::WaitFor([&] { return slow.open() == 0; }, "the server to close slow connections");
}

TEST(Storm, TenThousandConnectionsAreRefusedPolitely) {
  constexpr size_t kConnections = 10'000;
  if (RaiseOpenFiles() < kConnections + 100) GTEST_SKIP() << "this system lets a process open too few files";
  Server server;
  const uint64_t before = server.ResidentBytes();
  std::vector<std::unique_ptr<Connection>> connections;
  size_t told = 0;
  for (size_t i = 0; i < kConnections; ++i) {
    connections.push_back(std::make_unique<Connection>(server.http_port()));
    ASSERT_TRUE(connections.back()->Open()) << i;
  }
  const AlertWaits waits = SendAlertsOneByOne(server.http_port(), 50, 1);
  size_t open = 0;
  for (const auto& connection : connections) {
    if (connection->Received().find("503") != std::string::npos) ++told;
    if (connection->IsOpen()) ++open;
  }
  const double more_mib = (static_cast<double>(server.ResidentBytes()) - static_cast<double>(before)) / (1 << 20);
  std::printf("10,000 connections: %zu open, %zu told why not, alert max %.1f ms, memory %+.0f MiB\n", open, told,
              waits.max_ms, more_mib);
  EXPECT_LE(open, 384u);
  EXPECT_LT(waits.refused, 5u);
  EXPECT_LT(more_mib, 64);
  EXPECT_TRUE(server.IsRunning());
}

}  // namespace
}  // namespace omnix::storm
