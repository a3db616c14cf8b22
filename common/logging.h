// The one logger set-up: one line an entry on standard error, UTC time, level, text. Use spdlog::info(...) and its
// siblings.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace omnix {

// `level`: "trace", "debug", "info", "warning", "error", "off". Control characters in entries are escaped, so that a
// hostile string can't forge a line. Errors: INVALID_ARGUMENT for another level.
absl::Status SetUpLogging(const std::string& program, const std::string& level);

}  // namespace omnix
