// What goes between a FilterWorker and its process omnix-alert-filter, over a socket, on one machine: a header and as
// many bytes as it says. Each frame to the process is answered by one from it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace omnix {

inline constexpr size_t kMaxFilterFrameBytes = 64 << 20;
inline constexpr size_t kMaxFilterMemoryBytes = size_t{512} << 20;

enum class FilterFrameKind : uint32_t {
  // To the process: a jq program, to be known as `filter` from now on.
  kLoad = 1,
  // To the process: a JSON document, the input of `filter`.
  kRun = 2,
  // From it: the program's first output; empty for kLoad.
  kOutput = 3,
  // From it: why not, in jq's words. May quote the input.
  kFailed = 4,
};

struct FilterFrame {
  FilterFrameKind kind;
  uint32_t filter;
  uint32_t size;
};

}  // namespace omnix
