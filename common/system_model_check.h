// What the loaders of models and playbooks find wrong beyond the shape of a file. Each adds its mistakes, with their
// paths, to the report.
#pragma once

#include <omnix/v1/system_model.pb.h>

#include <set>
#include <string>

#include "common/yaml.h"

namespace omnix {

// Before relative paths are resolved and suite files loaded.
void CheckSystemModel(const v1::SystemModel& model, YamlReport* report);
// `services`: the names that a step's `service` may have.
void CheckSuite(const v1::Suite& suite, const std::set<std::string>& services, const std::string& path,
                YamlReport* report);

// Names are required, at most kMaxNameBytes long, of letters, digits and "._-", and unique in `seen`.
inline constexpr size_t kMaxNameBytes = 100;
void CheckName(const std::string& name, const std::string& path, std::set<std::string>* seen, YamlReport* report);

}  // namespace omnix
