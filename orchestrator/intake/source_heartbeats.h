// Watches the declared sources: tells of those that fall silent, and of their return, as ordinary alerts.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "orchestrator/intake/heartbeat_ledger.h"

namespace omnix {

struct HeartbeatParts {
  const Clock* clock = nullptr;
  // Hands alerts to the engine and returns once they are durable. Where it fails, the same alerts come again.
  std::function<absl::Status(std::vector<v1::Alert>)> deliver;
};

// Thread-safe.
class SourceHeartbeats {
 public:
  // Begins to watch. `firing`: the alerts that fire already.
  SourceHeartbeats(const v1::AlertSources& sources, HeartbeatParts parts, const std::vector<v1::Alert>& firing);
  // Waits for a delivery that is under way.
  ~SourceHeartbeats();
  SourceHeartbeats(const SourceHeartbeats&) = delete;
  SourceHeartbeats& operator=(const SourceHeartbeats&) = delete;

  // Errors: as of HeartbeatLedger.
  absl::Status Sign(const std::string& name);
  void SignByFormat(const std::string& format);

 private:
  void Run();

  const HeartbeatParts parts_;
  std::mutex mutex_;
  std::condition_variable wakes_;
  HeartbeatLedger ledger_;
  bool signed_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace omnix
