// How often alerts changed between firing and resolved of late, whatever incident they were in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <string>
#include <unordered_map>

#include "absl/time/time.h"

namespace omnix {

// Bounded: of more than kMaxTracked alerts those that did not change the longest are forgotten, of each alert all but
// its last kMaxChanges changes. One thread only.
class FlapTracker {
 public:
  static constexpr size_t kMaxTracked = 10'000;
  static constexpr size_t kMaxChanges = 128;

  // The alert changed. Gives how often it did within this time, with the present one.
  uint32_t Changed(const std::string& fingerprint, absl::Time now, absl::Duration within);
  void Clear();

 private:
  struct Tracked {
    std::string fingerprint;
    std::deque<absl::Time> changes;
  };
  // The latest changed last.
  std::list<Tracked> tracked_;
  std::unordered_map<std::string, std::list<Tracked>::iterator> places_;
};

}  // namespace omnix
