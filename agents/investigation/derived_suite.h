// The checks that a system model implies, beside those of its suites.
#pragma once

#include <string>

#include "agents/investigation/scene.h"

namespace omnix {

// What the suites of the model don't ask: the calls of its clients, preflights of its origins, the expectations of its
// services, the endpoints of those that nothing stands before.
v1::Suite DerivedSuite(const Scene& scene);

// Whether another service depends on it.
bool IsNeeded(const v1::SystemModel& system, const std::string& service);

// Whether it has endpoints that no suite asks for.
bool AsksEndpoints(const v1::SystemModel& system, const v1::Service& service);

// Adds a check of this kind, of the service or (not empty) of the client.
void AddStep(const std::string& kind, const std::string& service, const std::string& client, v1::Suite* suite);

}  // namespace omnix
