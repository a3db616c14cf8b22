// What the logs that the system model names say about the time of the trouble, beside what they say otherwise.
#pragma once

#include "agents/investigation/scene.h"

namespace omnix {

inline constexpr char kLogChanges[] = "log_changes";

// One piece of evidence (source kLogChanges) for each line that is new, came much more often or ceased, at most a few a
// log; attributes: change (new, more_often, ceased), error (true, false), count, since, template. A log that cannot be
// read is evidence that could not be had.
void ProbeLogChanges(Scene* scene);

// "new error, 12 times since ...: ..." of this service's first error; empty where its logs have none.
std::string FirstLoggedError(const Scene& scene, const std::string& service);

}  // namespace omnix
