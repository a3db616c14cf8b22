// All monitors that omnixd polls.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "orchestrator/intake/alert_poller.h"

namespace omnix {

// Thread-safe.
class AlertPollers {
 public:
  // Begins to poll. `firing`: as of AlertPoller.
  void Start(const v1::AlertPolls& polls, const AlertPollerParts& parts, const std::vector<v1::Alert>& firing);
  // Ends all of them at once; returns within about a second.
  void Stop();
  // Adds how each of them fares; nothing once they are stopped.
  void AddTo(v1::GetStatusResponse* status) const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<AlertPoller>> pollers_;
};

}  // namespace omnix
