// Asks monitors for their alerts, for sites where they can't send webhooks.
#pragma once

#include <omnix/v1/alert_poll.pb.h>
#include <omnix/v1/operator.pb.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "orchestrator/intake/alert_intake.h"
#include "orchestrator/intake/poll_ledger.h"

namespace omnix {

// Each polled alert bears its poll's name under this label; with it a restarted omnixd knows whose alert it is.
inline constexpr char kPollLabel[] = "omnix_poll";

struct AlertPollerParts {
  // Both outlive the poller.
  AlertIntake* intake = nullptr;
  const Clock* clock = nullptr;
  // Takes alerts; returns once the journal has kept them, or why it has not.
  std::function<absl::Status(std::vector<v1::Alert>)> deliver;
  // The monitor answered, and what it said is kept: a sign of life of the source with the poll's name. May be empty.
  std::function<void(const std::string& poll)> heard = {};
};

// One monitor, on a thread of its own: reads all of its alerts every interval and tells what has changed, so that one
// that is gone ends. An error changes nothing; the monitor is asked again after an interval that grows to five minutes.
// Redirects are not followed, certificates are verified, an answer has at most kMaxPolledBytes.
class AlertPoller {
 public:
  // `firing`: alerts that fired when omnixd stopped; those of other polls are ignored. Polls from now on.
  AlertPoller(v1::AlertPoll poll, AlertPollerParts parts, const std::vector<v1::Alert>& firing);
  // Waits for the poll under way; a request to the monitor is given up within a second.
  ~AlertPoller();
  AlertPoller(const AlertPoller&) = delete;
  AlertPoller& operator=(const AlertPoller&) = delete;

  // Thread-safe, both. The first returns at once; the destructor waits.
  void RequestStop();
  v1::PolledMonitor Status() const;

 private:
  void Run();
  absl::Status Poll();
  absl::StatusOr<std::string> Get(const std::string& path) const;
  // Whether the monitor has run for as long as it takes to know its alerts.
  absl::StatusOr<bool> IsSettled() const;
  absl::Status Deliver(const std::vector<v1::Alert>& due);
  void Record(const absl::Status& status);
  absl::Duration NextWait() const;

  const v1::AlertPoll poll_;
  const AlertPollerParts parts_;
  // Of the thread.
  PollLedger ledger_;
  absl::Time last_repeat_;

  mutable std::mutex mutex_;
  std::condition_variable stop_changed_;
  std::atomic<bool> stop_ = false;
  v1::PolledMonitor status_;
  std::thread thread_;
};

inline constexpr size_t kMaxPolledBytes = 8 << 20;

}  // namespace omnix
