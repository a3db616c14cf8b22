// The time that one look at a store has.
#pragma once

#include <algorithm>

#include "absl/time/time.h"
#include "common/clock.h"

namespace omnix {

class Countdown {
 public:
  explicit Countdown(absl::Duration time) : end_(clock_.Monotonic() + time) {}
  absl::Duration Remaining() const { return std::max(end_ - clock_.Monotonic(), absl::ZeroDuration()); }
  int Milliseconds() const { return static_cast<int>(absl::ToInt64Milliseconds(Remaining())); }
  bool Over() const { return Remaining() <= absl::ZeroDuration(); }

 private:
  SystemClock clock_;
  absl::Duration end_;
};

}  // namespace omnix
