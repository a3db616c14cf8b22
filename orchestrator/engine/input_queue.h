// What waits for the engine's thread, in lanes, so that a flood of one kind neither grows without bound nor keeps the
// others waiting. Not thread-safe: its user's lock guards it.
#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <functional>
#include <vector>

#include "absl/status/status.h"

namespace omnix {

class Engine;

enum class InputLane {
  // The engine's own affairs: never refused, always first.
  kOwn,
  // What operators ask: before agents and alerts, however many of those wait.
  kOperators,
  // What agents send: never refused, since a stream is not read on while too much of it waits here.
  kAgents,
  kAlerts,
};

struct EngineInput {
  std::function<void(Engine&)> run;
  InputLane lane = InputLane::kOwn;
  // Its share of a round: items or alerts.
  size_t weight = 1;
  size_t bytes = 0;
};

class InputQueue {
 public:
  // Errors: RESOURCE_EXHAUSTED where the lane is full.
  absl::Status Add(EngineInput input);

  // What one round takes: of each lane its share, in order. `alerts`: how many still fit into the transaction; the last
  // call that is taken may hold more.
  std::vector<EngineInput> Take(size_t alerts);

  // Take would give something.
  bool HasInputs(size_t alerts) const;
  bool empty() const;

 private:
  struct Lane {
    std::deque<EngineInput> waiting;
    size_t weight = 0;
    size_t bytes = 0;
  };
  static constexpr size_t kLanes = 4;
  Lane& Of(InputLane lane) { return lanes_[static_cast<size_t>(lane)]; }
  const Lane& Of(InputLane lane) const { return lanes_[static_cast<size_t>(lane)]; }
  void TakeFrom(InputLane lane, size_t weight, std::vector<EngineInput>& taken);

  std::array<Lane, kLanes> lanes_;
};

// Calls beyond these are answered RESOURCE_EXHAUSTED (over HTTP: 503 with Retry-After).
inline constexpr size_t kMaxWaitingOperatorCalls = 10'000;
inline constexpr size_t kMaxWaitingAlerts = 20'000;
inline constexpr size_t kMaxWaitingBytes = 64 << 20;

// Alerts of one transaction: what bounds the wait of an operator's command during a flood of alerts.
inline constexpr size_t kMaxAlertsATransaction = 512;
// Items of agents between two looks at what operators ask.
inline constexpr size_t kMaxAgentItemsARound = 10'000;

}  // namespace omnix
