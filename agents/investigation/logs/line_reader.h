// The lines of a file, block by block.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace omnix {

// Of a longer line only the beginning is given.
inline constexpr size_t kMaxLogLineBytes = 16 << 10;

// Calls `take` for each line, without its end ("\n" or "\r\n"); the last may lack one. Reads at most the last
// `max_bytes` (0: all), from a line's beginning. Gives the number of bytes read. Regular files only. Errors: NOT_FOUND,
// PERMISSION_DENIED, FAILED_PRECONDITION, INTERNAL.
absl::StatusOr<uint64_t> ReadLines(const std::string& path, uint64_t max_bytes,
                                   const std::function<void(std::string_view)>& take);

}  // namespace omnix
