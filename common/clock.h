// Where time comes from. Nothing below the engine asks for it: it is given `now` as an argument.
#pragma once

#include "absl/time/time.h"

namespace omnix {

class Clock {
 public:
  virtual ~Clock() = default;
  // Wall-clock time, for what people and the journal see. May jump.
  virtual absl::Time Now() const = 0;
  // Time since some fixed point, for timers and leases. Never jumps, never goes back.
  virtual absl::Duration Monotonic() const = 0;
};

// The machine's clocks. Thread-safe.
class SystemClock final : public Clock {
 public:
  absl::Time Now() const override;
  absl::Duration Monotonic() const override;
};

// A clock that stands still until it is moved: for tests and simulation. Not thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(absl::Time start) : now_(start) {}
  absl::Time Now() const override { return now_; }
  absl::Duration Monotonic() const override { return monotonic_; }
  void Advance(absl::Duration duration) {
    now_ += duration;
    monotonic_ += duration;
  }
  // Moves the wall clock alone.
  void JumpWall(absl::Duration duration) { now_ += duration; }

 private:
  absl::Time now_;
  absl::Duration monotonic_ = absl::ZeroDuration();
};

}  // namespace omnix
