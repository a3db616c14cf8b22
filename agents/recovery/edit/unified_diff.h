// Differences between two texts, as people and `patch -p1` / `git apply` read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace omnix {

struct UnifiedDiff {
  // Empty where the texts are equal.
  std::string text;
  uint32_t lines_added = 0;
  uint32_t lines_removed = 0;
};

// Lines with their ends ("\n" or "\r\n"); the last may have none.
std::vector<std::string_view> SplitLines(std::string_view text);

// Unified format with three lines of context, headed "--- a<path>" and "+++ b<path>" (path: absolute). A shortest edit
// script (Myers, "An O(ND) Difference Algorithm and Its Variations", 1986); texts that differ in more than kMaxEdits
// lines give one hunk that replaces what lies between their common first and last lines.
inline constexpr int kMaxEdits = 2000;
UnifiedDiff MakeUnifiedDiff(const std::string& path, std::string_view before, std::string_view after);

}  // namespace omnix
