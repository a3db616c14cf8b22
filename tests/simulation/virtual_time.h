// The simulation's time: one clock for all, moved from event to event. Nothing happens beside the queue.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "common/clock.h"

namespace omnix::simulation {

// Monotonic time moves with the events; wall-clock time may jump or stand still meanwhile.
class VirtualClock final : public Clock {
 public:
  absl::Time Now() const override { return wall_; }
  absl::Duration Monotonic() const override { return monotonic_; }

  void MoveTo(absl::Duration monotonic) {
    if (!stands_) wall_ += monotonic - monotonic_;
    monotonic_ = monotonic;
  }
  void JumpWall(absl::Duration by) { wall_ += by; }
  void StandStill(bool stands) { stands_ = stands; }

 private:
  absl::Time wall_ = absl::FromUnixSeconds(1'756'969'200);  // 2025-09-04T07:00:00Z
  absl::Duration monotonic_;
  bool stands_ = false;
};

// Events in order of time; those of the same time in the order in which they were put in.
class Scheduler {
 public:
  using Action = std::function<void()>;

  VirtualClock& clock() { return clock_; }
  absl::Duration now() const { return clock_.Monotonic(); }

  void At(absl::Duration when, Action action) {
    events_.push_back({std::max(when, now()), ++number_, std::move(action)});
    std::push_heap(events_.begin(), events_.end());
  }
  void After(absl::Duration delay, Action action) { At(now() + delay, std::move(action)); }

  bool empty() const { return events_.empty(); }
  absl::Duration next() const { return events_.front().when; }
  // REQUIRES: !empty().
  void RunNext() {
    std::pop_heap(events_.begin(), events_.end());
    Event event = std::move(events_.back());
    events_.pop_back();
    clock_.MoveTo(event.when);
    event.action();
  }

 private:
  struct Event {
    absl::Duration when;
    uint64_t number;
    Action action;
    // A heap has its greatest first.
    bool operator<(const Event& other) const { return when != other.when ? when > other.when : number > other.number; }
  };

  VirtualClock clock_;
  std::vector<Event> events_;
  uint64_t number_ = 0;
};

}  // namespace omnix::simulation
