#include "tests/storm/slow_senders.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>

namespace omnix::storm {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kByteInterval = std::chrono::seconds(1);
constexpr auto kPoll = std::chrono::milliseconds(20);
constexpr auto kBetweenAlerts = std::chrono::milliseconds(20);

}  // namespace

SlowSenders::SlowSenders(int port, size_t count, const std::string& beginning, std::string rest) {
  for (size_t i = 0; i < count; ++i) {
    auto connection = std::make_unique<Connection>(port);
    if (connection->Open()) connection->Send(beginning);
    connections_.push_back(std::move(connection));
  }
  open_ = count;
  thread_ = std::thread([this, text = std::move(rest)]() mutable { Run(std::move(text)); });
}

SlowSenders::~SlowSenders() {
  stop_ = true;
  thread_.join();
}

void SlowSenders::Run(std::string rest) {
  auto next = Clock::now();
  for (size_t at = 0; !stop_; ++at) {
    size_t open = 0;
    for (const auto& connection : connections_) {
      if (!connection->IsOpen()) continue;
      ++open;
      connection->Send(std::string_view(rest).substr(at % rest.size(), 1));
    }
    open_ = open;
    next += kByteInterval;
    while (!stop_ && Clock::now() < next) std::this_thread::sleep_for(kPoll);
  }
}

AlertWaits SendAlertsOneByOne(int port, size_t count, uint64_t first_number) {
  AlertWaits waits;
  std::vector<double> all;
  for (size_t i = 0; i < count; ++i) {
    const std::string body =
        fmt::format(R"({{"title":"down","subject":"checkout","fingerprint":"one-by-one-{}"}})", first_number + i);
    Connection connection(port);
    const auto begun = Clock::now();
    if (connection.Post("/v1/alerts/omnix", body).status != 200) ++waits.refused;
    all.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begun).count());
    std::this_thread::sleep_for(kBetweenAlerts);
  }
  std::ranges::sort(all);
  waits.max_ms = all.empty() ? 0 : all.back();
  waits.p50_ms = all.empty() ? 0 : all[all.size() / 2];
  return waits;
}

size_t RaiseOpenFiles() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

}  // namespace omnix::storm
