// What the analyzers of secrets have in common: signatures that one side makes and another refuses.
#pragma once

#include <string>
#include <vector>

#include "agents/investigation/log_signs.h"
#include "agents/investigation/scene.h"
#include "agents/sources/config_values.h"

namespace omnix {

// A secret that signs or judges, by its key; none of a login.
bool IsOfSigning(const ConfigValue& value);

// 401 or 403.
bool IsDenial(const v1::CheckResult& result);

// The service's log says that signatures are refused; null: it does not.
const LogSign* RefusedSignatures(const Scene& scene, const v1::Service& service);

// The symptoms that refused signatures of the service may be behind; a new one by its log where there is none.
std::vector<std::string> SymptomsOfRefusal(Scene* scene, const v1::Service& service, const LogSign& sign);

}  // namespace omnix
