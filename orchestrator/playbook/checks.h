// What the loaders find wrong beyond the shape of a file. Each adds its mistakes, with their paths, to the report.
#pragma once

#include <omnix/v1/playbook.pb.h>

#include <string>

#include "common/system_model_check.h"
#include "common/yaml.h"

namespace omnix {

void CheckPlaybook(const v1::Playbook& playbook, YamlReport* report);
void CheckPolicy(const v1::Policy& policy, YamlReport* report);

// A jq program that does not compile is a mistake; an empty one is none.
void CheckJq(const std::string& program, const std::string& path, YamlReport* report);

}  // namespace omnix
