// Monitors that all send at once.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

namespace omnix::storm {

struct FloodOptions {
  int port = 0;
  int connections = 32;
  // Numbered from 1 on; each is sent until it is taken.
  uint64_t alerts = 0;
  // Only so many of them differ; after that they come again. 0: all do.
  uint64_t different = 0;
  // Alerts of a body as Alertmanager sends them.
  uint64_t batch = 64;
  // Of each alert's description, beyond what it says.
  size_t padding_bytes = 0;
  // Of a hundred alerts so many come one by one, in a body of their own.
  uint64_t singles_percent = 20;
  // All senders together; 0: as fast as they are taken.
  uint64_t alerts_a_second = 0;
  // After a 503 the sender waits so long: what Retry-After asks for, or nothing where it does not care.
  std::chrono::milliseconds pause_after_refusal{1000};
  // Ends the flood where it is not over by then.
  std::chrono::seconds deadline{60};
};

struct FloodResult {
  uint64_t acknowledged = 0;
  // Alerts in all requests, also those that were refused.
  uint64_t offered = 0;
  uint64_t requests = 0;
  uint64_t refused = 0;
  // 503 without Retry-After.
  uint64_t without_advice = 0;
  // Closed without an answer.
  uint64_t closed = 0;
  // Answers other than 200 and 503.
  uint64_t unexpected = 0;
  double seconds = 0;
};

// Blocks until all alerts are taken or the deadline is over. `progress` (may be null) counts acknowledged alerts.
FloodResult Flood(const FloodOptions& options, std::atomic<uint64_t>* progress);

}  // namespace omnix::storm
