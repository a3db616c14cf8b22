#include "agents/sources/config_values.h"

#include <re2/re2.h>

#include "absl/strings/ascii.h"
#include "agents/sources/config_formats.h"
#include "agents/sources/held_values.h"
#include "common/file.h"
#include "common/status.h"

namespace omnix {
namespace {

std::string FormatByName(std::string_view path) {
  const std::string name = absl::AsciiStrToLower(std::string(path.substr(path.rfind('/') + 1)));
  const auto ends = [&](std::string_view end) { return name.ends_with(end); };
  if (name.starts_with(".env") || ends(".env") || name == "environment") return "env";
  if (ends(".json") || ends(".jsonc") || ends(".json5")) return "json";
  if (ends(".yaml") || ends(".yml")) return "yaml";
  if (ends(".toml")) return "toml";
  if (ends(".properties")) return "properties";
  if (ends(".ini") || ends(".cfg")) return "ini";
  if (ends(".xml")) return "xml";
  for (const char* end : {".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".jsx", ".tsx"}) {
    if (ends(end)) return "js";
  }
  return "";
}

constexpr size_t kMaxStartBytes = 4096;

std::string FormatByContent(std::string_view text) {
  const std::string start(absl::StripLeadingAsciiWhitespace(std::string(text.substr(0, kMaxStartBytes))));
  if (start.starts_with('{')) return "json";
  if (start.starts_with("---")) return "yaml";
  if (start.starts_with("<?xml")) return "xml";
  return "text";
}

}  // namespace

bool AddConfigValue(const ConfigSource& source, const std::string& key, const std::string& value, uint32_t line,
                    uint32_t column, ConfigValues* config) {
  if (config->values.size() >= kMaxConfigValues) return false;
  ConfigValue added{key, value, {}, false};
  added.location.set_file(source.path);
  added.location.set_line(line);
  added.location.set_column(column);
  config->values.push_back(std::move(added));
  return true;
}

void SetConfigError(const ConfigSource& source, const std::string& error, uint32_t line, uint32_t column,
                    ConfigValues* config) {
  if (!config->error.empty()) return;
  config->error = error;
  config->error_at.set_file(source.path);
  config->error_at.set_line(line);
  config->error_at.set_column(column);
}

std::string JoinKey(const std::string& parent, std::string_view name) {
  return parent.empty() ? std::string(name) : parent + "." + std::string(name);
}

ConfigValues ParseConfigValues(std::string_view text, const std::string& path, const std::string& format) {
  ConfigValues config;
  config.format = format.empty() ? FormatByName(path) : format;
  if (config.format.empty()) config.format = FormatByContent(text);
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  const ConfigSource source{text, path};
  if (config.format == "json") {
    ReadJsonConfig(source, &config);
  } else if (config.format == "yaml") {
    ReadYamlConfig(source, &config);
  } else if (config.format == "toml") {
    ReadTomlConfig(source, &config);
  } else if (config.format == "ini") {
    ReadIniConfig(source, &config);
  } else if (config.format == "properties") {
    ReadPropertiesConfig(source, &config);
  } else if (config.format == "xml") {
    ReadXmlConfig(source, &config);
  } else if (config.format == "js") {
    ReadScriptConfig(source, &config);
  } else if (config.format != "nginx") {
    ReadTextConfig(source, &config);
  }
  return config;
}

absl::StatusOr<ConfigValues> ReadConfigValues(const std::string& path, const std::string& format) {
  OMNIX_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxConfigBytes));
  ConfigValues config = ParseConfigValues(text, path, format);
  AddHeldValues(&config);
  return config;
}

std::string_view LastOf(std::string_view key) {
  const size_t dot = key.rfind('.');
  return dot == std::string_view::npos ? key : key.substr(dot + 1);
}

bool IsSecretKey(std::string_view key) {
  static const RE2 kSecret(
      R"((?i)(secret|passw|passwd|password|passphrase|token|salt|credential|hmac|(signing|private|api|access|auth|jwt|encryption|session|shared|secret)[_.\-]?key|^key$|[._\-]key$|signature))");
  // Words that only describe a secret: its life time, algorithm or place.
  static const RE2 kAbout(
      R"((?i)(ttl|expir|lifetime|max_?age|algorithm|issuer|audience|url|header|path|file|_id$|length))");
  const std::string text(key);
  return RE2::PartialMatch(text, kSecret) && !RE2::PartialMatch(std::string(LastOf(key)), kAbout);
}

bool IsSecret(const ConfigValue& value) { return value.held_apart || IsSecretKey(value.key); }

}  // namespace omnix
