// A synthetic monitor: runs suites on a schedule and raises alerts in Alertmanager's webhook format (version 4).
//
// One alert stands for the failing checks of one service and one kind. It fires after `after` failing runs in a row, is
// sent again every kResendInterval and whenever the set of failing checks changes, and is sent as resolved with the
// first run that passes. A receiver that answers 5xx or not at all is tried again with a growing pause; what it has not
// taken is kept.
#pragma once

#include <omnix/v1/check.pb.h>
#include <omnix/v1/system_model.pb.h>

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/clock.h"
#include "common/json.h"

namespace omnix {

struct MonitorOptions {
  absl::Duration every = absl::Seconds(30);
  std::string alert_url;
  std::vector<std::pair<std::string, std::string>> alert_headers;
  // Failing runs in a row before an alert fires.
  uint32_t after = 2;
};

inline constexpr absl::Duration kResendInterval = absl::Seconds(30);

// Which alerts fire, from the results of run after run. No IO, no clock.
class AlertBook {
 public:
  AlertBook(std::string system, uint32_t after) : system_(std::move(system)), after_(after) {}

  // Takes the results of one run. Returns a line for each change of state: "firing: gateway http: ...".
  std::vector<std::string> Observe(const std::vector<v1::CheckResult>& results, absl::Time now);

  // True where something is to be sent at once.
  bool changed() const { return changed_; }
  bool firing() const;
  // The webhook's body: all firing alerts and those resolved and not yet taken.
  Json Payload() const;
  // The receiver took the last payload.
  void Taken();

 private:
  struct Group {
    uint32_t failing_runs = 0;
    bool firing = false;
    bool resolved = false;
    absl::Time since;
    absl::Time until;
    std::vector<std::string> failing;
    std::string description;
    std::string severity;
    std::string instance;
  };
  using Key = std::pair<std::string, std::string>;  // service, check kind

  Json AlertOf(const Key& key, const Group& group) const;
  void Fail(const Key& key, const std::vector<const v1::CheckResult*>& results, absl::Time now,
            std::vector<std::string>* lines);

  std::string system_;
  uint32_t after_;
  bool changed_ = false;
  std::map<Key, Group> groups_;
};

class Monitor {
 public:
  Monitor(MonitorOptions options, v1::SystemModel system, std::vector<v1::Suite> suites);

  // Runs until `wait` (which sleeps, and is false where the monitor is to stop) says so. `cancelled` ends a run in its
  // middle.
  void Run(const std::function<bool(absl::Duration)>& wait, const std::function<bool()>& cancelled);

 private:
  void RunSuitesOnce(const std::function<bool()>& cancelled);
  // Sends where it is time to.
  void Send();

  const MonitorOptions options_;
  const v1::SystemModel system_;
  std::vector<v1::Suite> suites_;
  SystemClock clock_;
  AlertBook book_;
  absl::Duration next_run_;
  absl::Duration next_send_;
  absl::Duration backoff_;
};

}  // namespace omnix
