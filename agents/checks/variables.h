// ${name} and ${env:NAME} in texts.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "common/json.h"

namespace omnix {

// Errors: NOT_FOUND (no such variable: the message is its name alone), FAILED_PRECONDITION (environment variable not
// set), INVALID_ARGUMENT
// ("${" without "}"), RESOURCE_EXHAUSTED (the text grows beyond kMaxExpandedBytes).
inline constexpr size_t kMaxExpandedBytes = 1 << 20;
absl::StatusOr<std::string> Expand(const std::string& text, const std::map<std::string, std::string>& variables);

// The same for every text inside a JSON value (keys stay).
absl::StatusOr<Json> ExpandJson(const Json& value, const std::map<std::string, std::string>& variables);

// Values that must not show: of variables with a secret's name, and of every ${env:NAME} in `value`.
std::vector<std::string> SecretValues(const Json& value, const std::map<std::string, std::string>& variables);

}  // namespace omnix
