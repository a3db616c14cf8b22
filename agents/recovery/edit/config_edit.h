// One value of a configuration file changed, the rest byte for byte: indentation, quotes, comments, line ends, byte
// order mark.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/json.h"

namespace omnix {

enum class ConfigFormat { kJson, kYaml, kToml, kEnv };

// By `name` ("json", "yaml", "toml", "env") or, where that is empty, by the file's name. Errors: INVALID_ARGUMENT.
absl::StatusOr<ConfigFormat> FindConfigFormat(const std::string& name, const std::string& path);

// Changes the value at `pointer`; a key that is missing from an existing JSON or YAML object is added to it. The result
// is read again, and an edit that changed anything else is refused. Errors: INVALID_ARGUMENT, NOT_FOUND (no such
// place), FAILED_PRECONDITION (it has that value already, or it can't be changed without touching more).
absl::StatusOr<std::string> SetConfigValue(ConfigFormat format, std::string_view content, const std::string& pointer,
                                           const Json& value);

// Appends the values that are not yet there to the list at `pointer`. In env files a list is a text with commas. Errors
// as above.
absl::StatusOr<std::string> AddToConfigList(ConfigFormat format, std::string_view content, const std::string& pointer,
                                            const std::vector<Json>& values);

}  // namespace omnix
