#include "tests/storm/flood.h"

#include <fmt/format.h>

#include <mutex>
#include <thread>
#include <vector>

#include "tests/storm/connection.h"
#include "tests/storm/server.h"

namespace omnix::storm {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint64_t kPercent = 100;

std::string AlertJson(uint64_t number, size_t padding_bytes) {
  return fmt::format(
      R"({{"status":"firing","labels":{{"alertname":"HighErrorRate","severity":"critical","service":"{}",)"
      R"("instance":"10.0.0.7:8080/{}","cluster":"eu-west-1"}},"annotations":{{"summary":"5 % of all requests fail",)"
      R"("description":"The share of answers with status 5xx has been above 5 % for 5 minutes. {}"}},)"
      R"("startsAt":"2025-09-04T07:14:03.123Z","endsAt":"0001-01-01T00:00:00Z",)"
      R"("generatorURL":"http://prometheus.example:9090/graph?g0.expr=rate","fingerprint":"{:016x}"}})",
      kService, number, std::string(padding_bytes, '.'), number);
}

std::string Body(const FloodOptions& options, uint64_t first, uint64_t count) {
  std::string alerts;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t number = first + i;
    alerts += (i == 0 ? "" : ",") +
              AlertJson(options.different == 0 ? number : number % options.different, options.padding_bytes);
  }
  return fmt::format(
      R"({{"version":"4","groupKey":"{{}}:{{alertname=\"HighErrorRate\"}}","truncatedAlerts":0,"status":"firing",)"
      R"("receiver":"omnix","groupLabels":{{"alertname":"HighErrorRate"}},"commonLabels":{{"severity":"critical"}},)"
      R"("commonAnnotations":{{}},"externalURL":"http://alertmanager.example:9093","alerts":[{}]}})",
      alerts);
}

// Hands out the alerts, a body at a time.
class Work {
 public:
  explicit Work(const FloodOptions& options) : options_(options) {}

  // 0: all are handed out.
  uint64_t Take(uint64_t* first) {
    const std::lock_guard lock(mutex_);
    if (next_ > options_.alerts) return 0;
    // Bodies of one alert among the others, evenly.
    const uint64_t single = singles_ * kPercent < next_ * options_.singles_percent ? 1 : options_.batch;
    const uint64_t count = std::min(single, options_.alerts - next_ + 1);
    if (count == 1) ++singles_;
    *first = next_;
    next_ += count;
    return count;
  }

 private:
  const FloodOptions& options_;
  std::mutex mutex_;
  uint64_t next_ = 1;
  uint64_t singles_ = 0;
};

void Add(const FloodResult& part, FloodResult* sum) {
  sum->acknowledged += part.acknowledged;
  sum->offered += part.offered;
  sum->requests += part.requests;
  sum->refused += part.refused;
  sum->without_advice += part.without_advice;
  sum->closed += part.closed;
  sum->unexpected += part.unexpected;
}

// When alert `number` is sent.
Clock::time_point DueAt(const FloodOptions& options, uint64_t number, Clock::time_point until) {
  if (options.alerts_a_second == 0) return Clock::time_point();
  const std::chrono::duration<double> since(static_cast<double>(number) / static_cast<double>(options.alerts_a_second));
  return until - options.deadline + std::chrono::duration_cast<Clock::duration>(since);
}

// One connection's share.
FloodResult SendAll(const FloodOptions& options, Work& work, Clock::time_point until, std::atomic<uint64_t>* progress) {
  Connection connection(options.port);
  FloodResult result;
  uint64_t first = 0;
  while (const uint64_t count = work.Take(&first)) {
    std::this_thread::sleep_until(DueAt(options, first, until));
    const std::string body = Body(options, first, count);
    for (bool taken = false; !taken;) {
      if (Clock::now() > until) return result;
      const Answer answer = connection.Post("/v1/alerts/alertmanager", body);
      ++result.requests;
      result.offered += count;
      taken = answer.status == 200;
      if (taken) {
        result.acknowledged += count;
        if (progress != nullptr) *progress += count;
        continue;
      }
      if (answer.status == 503) {
        ++result.refused;
        if (!answer.retry_after) ++result.without_advice;
      } else if (answer.status == 0) {
        ++result.closed;
      } else {
        ++result.unexpected;
        return result;
      }
      std::this_thread::sleep_for(options.pause_after_refusal);
    }
  }
  return result;
}

}  // namespace

FloodResult Flood(const FloodOptions& options, std::atomic<uint64_t>* progress) {
  Work work(options);
  FloodResult sum;
  std::mutex mutex;
  const auto begun = Clock::now();
  std::vector<std::thread> senders;
  for (int i = 0; i < options.connections; ++i) {
    senders.emplace_back([&] {
      const FloodResult part = SendAll(options, work, begun + options.deadline, progress);
      const std::lock_guard lock(mutex);
      Add(part, &sum);
    });
  }
  for (std::thread& sender : senders) sender.join();
  sum.seconds = std::chrono::duration<double>(Clock::now() - begun).count();
  return sum;
}

}  // namespace omnix::storm
