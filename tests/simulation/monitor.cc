#include "tests/simulation/monitor.h"

#include <memory>

#include "common/time.h"

namespace omnix::simulation {
namespace {

constexpr double kRepeats = 0.5;
constexpr double kClears = 0.4;
constexpr double kBursts = 0.3;
constexpr double kBeginsAnew = 0.6;
constexpr absl::Duration kAnswerTimeout = absl::Seconds(5);

}  // namespace

void Monitor::Start() {
  for (size_t trouble = 0; trouble < bench_.scenario.troubles; ++trouble) {
    const absl::Duration begins = bench_.scenario.contention
                                      ? random_.Between(absl::Seconds(2), absl::Seconds(4))
                                      : random_.Between(absl::ZeroDuration(), bench_.scenario.faults_until / 2);
    bench_.scheduler.After(begins, [this, trouble] { Happen(trouble); });
  }
  if (bench_.scenario.contention) bench_.Count(Fault::kContention);
}

v1::Alert Monitor::AlertOf(size_t trouble, v1::AlertStatus status) {
  static constexpr const char* kSubjects[] = {"", "", "shop", "shop-db", "mail", "mail-db", "unknown"};
  v1::Alert alert;
  alert.set_fingerprint(fmt::format("f{}", trouble));
  alert.set_title(fmt::format("trouble {}", trouble));
  alert.set_source("monitor");
  alert.set_status(status);
  alert.set_severity(static_cast<v1::Severity>(v1::SEVERITY_WARNING + trouble % 3));
  // Contending incidents must not join.
  if (!bench_.scenario.contention) alert.set_subject(kSubjects[trouble % std::size(kSubjects)]);
  Date(trouble, alert);
  return alert;
}

// Where occurrences count, the same beginning is sent again, or it begins anew.
void Monitor::Date(size_t trouble, v1::Alert& alert) {
  if (!OccurrencesOf(bench_.scenario)) return;
  const auto [start, is_new] = starts_.try_emplace(trouble, bench_.scheduler.clock().Now());
  if (!is_new && alert.status() == v1::ALERT_STATUS_FIRING && random_.Chance(kBeginsAnew)) {
    start->second = bench_.scheduler.clock().Now();
  }
  *alert.mutable_starts_at() = ToProto(start->second);
}

void Monitor::Happen(size_t trouble) {
  std::vector<v1::Alert> alerts = {AlertOf(trouble, v1::ALERT_STATUS_FIRING)};
  if (bench_.Strikes(Fault::kAlertBurst, random_, kBursts)) {
    const int64_t more = random_.Between(1, 5);
    for (int64_t i = 0; i < more; ++i) {
      alerts.push_back(AlertOf(random_.Below(bench_.scenario.troubles + 3), v1::ALERT_STATUS_FIRING));
    }
  }
  Send(std::move(alerts));
  if (!bench_.faulty) return;
  const absl::Duration later = random_.Between(absl::Seconds(1), absl::Seconds(20));
  if (bench_.Strikes(Fault::kAlertRepeated, random_, kRepeats)) {
    bench_.scheduler.After(later, [this, trouble] { Happen(trouble); });
  }
  if (bench_.Strikes(Fault::kAlertResolved, random_, kClears)) {
    bench_.scheduler.After(random_.Between(absl::Seconds(1), absl::Seconds(40)),
                           [this, trouble] { Send({AlertOf(trouble, v1::ALERT_STATUS_RESOLVED)}); });
  }
}

void Monitor::Send(std::vector<v1::Alert> alerts) {
  ++unacknowledged_;
  Try(std::make_shared<std::vector<v1::Alert>>(std::move(alerts)), ++requests_);
}

void Monitor::Try(const std::shared_ptr<std::vector<v1::Alert>>& alerts, uint64_t request) {
  const auto answered = std::make_shared<bool>(false);
  Callback<std::vector<IngestedAlert>> done =
      [this, alerts, request, answered, sent_at = bench_.now()](absl::StatusOr<std::vector<IngestedAlert>> results) {
        if (*answered) return;
        *answered = true;
        if (results.ok()) {
          bench_.trace.Add(bench_.now(), "monitor", "request {} is acknowledged", request);
          bench_.promises.AlertsAcknowledged(*alerts, *results, sent_at);
          --unacknowledged_;
          return;
        }
        bench_.scheduler.After(random_.Between(absl::Milliseconds(200), absl::Seconds(2)),
                               [this, alerts, request] { Try(alerts, request); });
      };
  done = daemon_.Checked("a monitor", std::move(done));
  bench_.trace.Add(bench_.now(), "monitor", "request {}: {} alerts", request, alerts->size());
  if (OccurrencesOf(bench_.scenario)) {
    for (auto& alert : *alerts) *alert.mutable_received_at() = ToProto(bench_.scheduler.clock().Now());
  }
  daemon_.Give([&](Engine& engine) { engine.IngestAlerts(*alerts, done); });
  // No answer at all: as if it had been refused.
  bench_.scheduler.After(kAnswerTimeout, [done = std::move(done)] { done(absl::DeadlineExceededError("no answer")); });
}

}  // namespace omnix::simulation
