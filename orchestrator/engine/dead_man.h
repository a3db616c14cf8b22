// The dead-man switch: asks a URL at an interval, as long as it can prove that incidents move. Whoever listens there
// raises the alarm once the calls stay away, which nobody in here could do.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "orchestrator/engine/ports.h"

namespace omnix {

struct DeadManOptions {
  std::string url;
  absl::Duration interval = absl::Seconds(30);
  // A file that is written durably with every proof; on the journal's disk.
  std::string probe_file;
  // The engine answers within this, or the proof fails.
  absl::Duration proof_timeout = absl::Seconds(10);
};

// Proves that incidents move: an empty intake goes all the way through the engine (which fires all timers that are due
// before it builds a transaction), the writer and the publisher, with a journal that takes commits; and the journal's
// disk keeps a write. Errors: what does not move.
absl::Status ProveThatIncidentsMove(OperatorPort& port, const DeadManOptions& options, absl::Time now);

// Thread-safe.
class DeadMan {
 public:
  // Begins to call. `port` outlives it.
  DeadMan(OperatorPort* port, DeadManOptions options);
  // Waits for a call or proof that is under way.
  ~DeadMan();
  DeadMan(const DeadMan&) = delete;
  DeadMan& operator=(const DeadMan&) = delete;

 private:
  void Run();
  absl::Status Call();

  OperatorPort* const port_;
  const DeadManOptions options_;
  std::mutex mutex_;
  std::condition_variable wakes_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace omnix
