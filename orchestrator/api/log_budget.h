// Keeps hostile peers from filling the log: so many lines in ten seconds, then one that says how many were left out.
#pragma once

#include <cstddef>
#include <mutex>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace omnix {

// Thread-safe.
class LogBudget {
 public:
  explicit LogBudget(size_t lines) : lines_(lines) {}

  struct Grant {
    bool granted = false;
    // Lines that the windows before left out; say so.
    size_t left_out = 0;
  };
  Grant Take() {
    const std::lock_guard lock(mutex_);
    const absl::Time now = absl::Now();
    // A wall clock that went back begins a new window, too.
    if (now >= window_start_ + kWindow || now < window_start_) {
      window_start_ = now;
      taken_ = 0;
    }
    if (taken_ >= lines_) {
      ++left_out_;
      return {};
    }
    ++taken_;
    return {true, std::exchange(left_out_, 0)};
  }

 private:
  static constexpr absl::Duration kWindow = absl::Seconds(10);
  const size_t lines_;
  std::mutex mutex_;
  absl::Time window_start_;
  size_t taken_ = 0;
  size_t left_out_ = 0;
};

}  // namespace omnix
