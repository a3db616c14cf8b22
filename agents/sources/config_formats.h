// The readers behind config_values.h, one for each family of formats. Each adds what it reads to `config` and stops at
// the first syntax error.
#pragma once

#include <string_view>

#include "agents/sources/config_values.h"

namespace omnix {

struct ConfigSource {
  std::string_view text;
  const std::string& path;
};

void ReadJsonConfig(const ConfigSource& source, ConfigValues* config);
void ReadYamlConfig(const ConfigSource& source, ConfigValues* config);
// Sections, keys and values on lines of their own.
void ReadTomlConfig(const ConfigSource& source, ConfigValues* config);
void ReadIniConfig(const ConfigSource& source, ConfigValues* config);
void ReadPropertiesConfig(const ConfigSource& source, ConfigValues* config);
// Elements and attributes are keys ("passport.signature.key"), texts are values. What is no XML is left out.
void ReadXmlConfig(const ConfigSource& source, ConfigValues* config);
void ReadScriptConfig(const ConfigSource& source, ConfigValues* config);
void ReadTextConfig(const ConfigSource& source, ConfigValues* config);

// False where the limit is reached.
bool AddConfigValue(const ConfigSource& source, const std::string& key, const std::string& value, uint32_t line,
                    uint32_t column, ConfigValues* config);
void SetConfigError(const ConfigSource& source, const std::string& error, uint32_t line, uint32_t column,
                    ConfigValues* config);
std::string JoinKey(const std::string& parent, std::string_view name);

}  // namespace omnix
