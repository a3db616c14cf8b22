// The time that one check has, shared by everything it does.
#pragma once

#include <algorithm>

#include "agents/checks/check.h"
#include "common/clock.h"

namespace omnix {

// Thread-safe, as long as context.cancelled is.
class Budget {
 public:
  explicit Budget(const CheckContext& context) : context_(context), deadline_(clock_.Monotonic() + context.timeout) {}

  absl::Duration Remaining() const { return std::max(deadline_ - clock_.Monotonic(), absl::ZeroDuration()); }
  // For one request of several.
  absl::Duration ForOne() const { return std::min(Remaining(), context_.request_timeout); }
  bool Over() const { return Remaining() <= absl::ZeroDuration() || context_.cancelled(); }

 private:
  SystemClock clock_;
  const CheckContext& context_;
  absl::Duration deadline_;
};

}  // namespace omnix
