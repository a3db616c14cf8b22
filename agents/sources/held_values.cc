#include "agents/sources/held_values.h"

#include <re2/re2.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "common/file.h"

namespace omnix {
namespace {

constexpr size_t kMaxHeldFiles = 100;

// Folders that hold nothing but secrets, whatever the key is called: /run/secrets, a mounted volume of credentials.
bool IsAmongSecrets(const std::string& path) {
  static const RE2 kFolder(R"((?i)/\.?(secrets?|credentials?)(\.d)?/)");
  return RE2::PartialMatch(path, kFolder);
}

std::string Held(const std::string& path) {
  const auto text = ReadFile(path, kMaxHeldBytes);
  if (!text.ok()) return "";
  const std::string value(absl::StripAsciiWhitespace(*text));
  const bool is_text = std::none_of(value.begin(), value.end(), [](char c) { return absl::ascii_iscntrl(c); });
  return is_text ? value : "";
}

}  // namespace

std::string KeyOfHeldValue(const std::string& key) {
  static const RE2 kNamesFile(R"((.*[A-Za-z0-9])(?:[_.\-](?i:file)|File))");
  std::string held;
  return RE2::FullMatch(key, kNamesFile, &held) ? held : "";
}

bool NamesHeldSecret(const ConfigValue& value) {
  if (value.held_apart || !value.value.starts_with('/')) return false;
  return IsSecretKey(KeyOfHeldValue(value.key)) || IsAmongSecrets(value.value);
}

void AddHeldValues(ConfigValues* config) {
  const size_t count = config->values.size();
  size_t files = 0;
  for (size_t i = 0; i < count && files < kMaxHeldFiles && config->values.size() < kMaxConfigValues; ++i) {
    if (!NamesHeldSecret(config->values[i])) continue;
    const std::string path = config->values[i].value;
    const std::string key = KeyOfHeldValue(config->values[i].key);
    ++files;
    ConfigValue held{key.empty() ? config->values[i].key : key, Held(path), {}, true};
    if (held.value.empty()) continue;
    held.location.set_file(path);
    held.location.set_line(1);
    held.location.set_column(1);
    config->values.push_back(std::move(held));
  }
}

}  // namespace omnix
