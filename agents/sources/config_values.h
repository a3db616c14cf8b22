// Values of configuration files of any common format, with the place of each: what a service is told, key by key.
//
//   const auto config = ReadConfigValues("/etc/shop/app.toml", "");
//   for (const ConfigValue& v : config->values) ...   // {"database.port", "5432", app.toml:7}
//
// JSON (comments allowed), YAML, TOML, INI, .env, Java properties, JavaScript and TypeScript literals; anything else
// line by line ("key = value", "key: value", "'key' => 'value'"). Values are as they mean: without quotes and comments.
// Nothing is run, included or substituted.
#pragma once

#include <omnix/v1/diagnosis.pb.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace omnix {

inline constexpr size_t kMaxConfigBytes = 2 << 20;
inline constexpr size_t kMaxConfigValues = 20'000;
inline constexpr int kMaxConfigDepth = 64;

struct ConfigValue {
  // "database.pool.max", "hosts.0": names from the outside in, joined by dots.
  std::string key;
  std::string value;
  v1::Location location;
  // It stands in a file of its own, which the configuration names: a secret, as a rule.
  bool held_apart = false;
};

struct ConfigValues {
  // In the file's order; those before a syntax error where there is one.
  std::vector<ConfigValue> values;
  // What a strict reader of the format stumbles over ("expected ',' or '}'"), and where; empty: none.
  std::string error;
  v1::Location error_at;
  // "json", "yaml", "toml", "ini", "env", "properties", "js", "text".
  std::string format;
};

// `format` as in ConfigFile.format; empty: by the name, else by the content. A syntax error is no failure: see
// ConfigValues.error. Values that the file has others hold for it are among them (held_values.h). Errors: those of
// ReadFile.
absl::StatusOr<ConfigValues> ReadConfigValues(const std::string& path, const std::string& format);
ConfigValues ParseConfigValues(std::string_view text, const std::string& path, const std::string& format);

// The last part of a key: "port" of "database.port".
std::string_view LastOf(std::string_view key);

// Whether a value with this key is a secret by its name ("jwt_secret", "api.key", "DB_PASSWORD"): it may be compared,
// and never shown.
bool IsSecretKey(std::string_view key);
// By its key, or as it is held apart.
bool IsSecret(const ConfigValue& value);

}  // namespace omnix
