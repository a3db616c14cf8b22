// What a command means in a state: the events that follow from it, or why it is refused.
#pragma once

#include <omnix/v1/event.pb.h>
#include <omnix/v1/incident.pb.h>
#include <omnix/v1/playbook.pb.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "orchestrator/core/command.h"

namespace omnix {

// Decides and folds the events into `incident` at the same time. Pure: `now` is the only time it knows.
//
// An accepted command may give no event where it repeats what is recorded already (a result sent twice). A refused one
// gives an error and leaves `incident` as it was: FAILED_PRECONDITION (means nothing in this state), NOT_FOUND (no such
// task or explanation), INVALID_ARGUMENT, ALREADY_EXISTS. `playbook` is the incident's pinned one.
absl::StatusOr<std::vector<v1::Event>> Decide(v1::Incident& incident, const v1::Playbook& playbook, Command command,
                                              absl::Time now);

// The half of a merge that `into` is asked: all alerts of `from`, with those that flap as their monitors said last.
command::TakeAlerts TakeAllOf(const v1::Incident& from, const std::string& by, const std::string& reason);

}  // namespace omnix
