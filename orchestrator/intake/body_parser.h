// The strict JSON parser that stands before every alert format.
#pragma once

#include <cstddef>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/json.h"

namespace omnix {

// Limits of one body. The bytes are the HTTP server's matter.
inline constexpr size_t kMaxBodyDepth = 128;
// Values and keys together: what a body can make of its bytes in memory.
inline constexpr size_t kMaxBodyValues = 400'000;
// Integers beyond it, either way, become strings with their digits as they came: a double would change them.
inline constexpr int64_t kMaxExactInteger = int64_t{1} << 53;

struct ParsedBody {
  Json value;
  // How many keys stood in their object before. The last one counts; the position is the first repetition's.
  size_t repeated_keys = 0;
  size_t repeated_key_line = 0;
  size_t repeated_key_column = 0;
  // Escapes of half a surrogate pair ("\ud83d" alone): each became U+FFFD.
  size_t lone_surrogates = 0;
};

// One JSON document (RFC 8259) in UTF-8, with nothing behind it. Errors say line and column (counted in bytes from 1)
// and quote nothing: INVALID_ARGUMENT (no JSON, no UTF-8, nested deeper than kMaxBodyDepth, a number that no double
// holds), RESOURCE_EXHAUSTED (more than kMaxBodyValues).
absl::StatusOr<ParsedBody> ParseBody(std::string_view text);

}  // namespace omnix
