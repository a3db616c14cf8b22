// What an approval is bound to.
#pragma once

#include <omnix/v1/action.pb.h>

#include <string>

namespace omnix {

// Lower-case hex SHA-256 of the plan, serialized deterministically (maps in key order), without its `hash`.
std::string PlanHash(const v1::Plan& plan);

}  // namespace omnix
