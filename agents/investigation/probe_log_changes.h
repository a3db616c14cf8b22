// What the logs that the system model names say about the time of the trouble, beside what they say otherwise.
#pragma once

#include "agents/investigation/log_source.h"
#include "agents/investigation/logs/compare.h"
#include "agents/investigation/scene.h"

namespace omnix {

inline constexpr char kLogChanges[] = "log_changes";
// Of a log, so many changes are looked through for messages that name a fault.
inline constexpr size_t kMaxLogChanges = 50;

// One piece of evidence (source kLogChanges) for each line that is new, came much more often or ceased, at most a few a
// log; attributes: change (new, more_often, ceased), error (true, false), count, since, template. A log that cannot be
// read is evidence that could not be had.
void ProbeLogChanges(Scene* scene);

// An access log's requests name no faults.
enum class LogContent { kMessages, kRequests };

// The same for a comparison made elsewhere. What names a fault is a LogSign among the scene's facts as well.
void AddLogChanges(Scene* scene, const v1::Service& service, const LogSource& log, const LogComparison& comparison,
                   LogContent content);

// "new error, 12 times since ...: ..." of this service's first error; empty where its logs have none.
std::string FirstLoggedError(const Scene& scene, const std::string& service);

}  // namespace omnix
