// Of measured values.
#pragma once

#include <cmath>
#include <vector>

namespace omnix::bench {

// The value that this share (0 to 1) of the sorted ones does not exceed; 0 where there are none.
inline double Quantile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  return sorted[static_cast<size_t>(std::ceil(share * static_cast<double>(sorted.size() - 1)))];
}

}  // namespace omnix::bench
