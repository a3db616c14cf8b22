// A small generator of random numbers whose sequence is the same on every machine and with every library.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/time/time.h"

namespace omnix::simulation {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  // splitmix64.
  uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // 0 to below - 1. REQUIRES: below > 0.
  uint64_t Below(uint64_t below) { return Next() % below; }
  int64_t Between(int64_t least, int64_t most) {
    return least + static_cast<int64_t>(Below(static_cast<uint64_t>(most - least + 1)));
  }
  absl::Duration Between(absl::Duration least, absl::Duration most) {
    return absl::Nanoseconds(Between(absl::ToInt64Nanoseconds(least), absl::ToInt64Nanoseconds(most)));
  }
  bool Chance(double probability) { return static_cast<double>(Next() >> 11) * 0x1.0p-53 < probability; }
  template <typename T>
  const T& Pick(const std::vector<T>& values) {
    return values[Below(values.size())];
  }
  // A generator of its own for a part, so that what one part draws does not move what another draws.
  Random Fork() { return Random(Next()); }

 private:
  uint64_t state_;
};

// The same for the same words: decides what does not change by being asked again (which cause an incident has).
inline uint64_t Mix(uint64_t a, uint64_t b) { return Random(a ^ (b * 0x9e3779b97f4a7c15)).Next(); }

}  // namespace omnix::simulation
