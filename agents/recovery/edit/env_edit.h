// NAME=value files, as read by shells, systemd and container runtimes.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace omnix {

struct EnvValue {
  // Bytes [begin, end) of the text between the quotes.
  size_t begin = 0;
  size_t end = 0;
  // '\0' where there are none.
  char quote = '\0';
};

// The last assignment of `name` (the one that counts). Errors: NOT_FOUND, INVALID_ARGUMENT (a quote without end).
absl::StatusOr<EnvValue> FindEnvValue(std::string_view content, const std::string& name);

// The file with another value. Errors: INVALID_ARGUMENT (a value that these quotes can't hold).
absl::StatusOr<std::string> ReplaceEnvValue(std::string_view content, const EnvValue& place, const std::string& value);

}  // namespace omnix
