// What the configuration files of services and their instances say, read by their formats.
#pragma once

#include <string>
#include <vector>

#include "agents/investigation/scene.h"
#include "agents/sources/config_values.h"

namespace omnix {

struct ConfigFacts {
  const v1::Service* service = nullptr;
  // Null: the service's own file.
  const v1::Instance* instance = nullptr;
  const v1::ConfigFile* file = nullptr;
  ConfigValues config;
  std::string evidence;
};

// One ConfigFacts for each file but nginx's. What cannot be read, and syntax errors, are evidence of source "config".
void ProbeConfig(Scene* scene);

// Of the service and its instances; `instance` not null: of that one alone.
std::vector<const ConfigFacts*> ConfigsOf(const Scene& scene, const v1::Service& service,
                                          const v1::Instance* instance = nullptr);

// A value that a commit before the trouble set anew.
struct ValueChange {
  const Change* change = nullptr;
  // Empty: the key was not there before.
  std::string before;
};
// The newest such change of this value; `change` null: none that is known.
ValueChange ChangeOf(const Scene& scene, const ConfigFacts& file, const ConfigValue& value);

// Takes `value` back to `to` in its file; an action without a kind where the file may not be changed or the line
// doesn't hold the value.
v1::Action SetValue(const ConfigFacts& file, const ConfigValue& value, const std::string& to);

}  // namespace omnix
