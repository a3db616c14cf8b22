#include "orchestrator/engine/flap_tracker.h"

#include <algorithm>

namespace omnix {

uint32_t FlapTracker::Changed(const std::string& fingerprint, absl::Time now, absl::Duration within) {
  const auto [place, is_new] = places_.try_emplace(fingerprint);
  if (is_new) {
    place->second = tracked_.insert(tracked_.end(), Tracked{fingerprint, {}});
  } else {
    tracked_.splice(tracked_.end(), tracked_, place->second);
  }
  std::deque<absl::Time>& changes = place->second->changes;
  changes.push_back(now);
  if (changes.size() > kMaxChanges) changes.pop_front();
  const auto count = std::ranges::count_if(changes, [&](absl::Time at) { return now - at <= within; });
  if (tracked_.size() > kMaxTracked) {
    places_.erase(tracked_.front().fingerprint);
    tracked_.pop_front();
  }
  return static_cast<uint32_t>(count);
}

void FlapTracker::Clear() {
  places_.clear();
  tracked_.clear();
}

}  // namespace omnix
