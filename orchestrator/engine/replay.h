// The state of incidents, read back from the journal.
#pragma once

#include <omnix/v1/incident.pb.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "orchestrator/journal/journal.h"

namespace omnix {

// Folds the incident's events. The id is empty where the journal has no event of it. Errors: the journal's. As
// thread-safe as the journal.
absl::StatusOr<v1::Incident> Replay(Journal& journal, const std::string& incident_id);

// What takes an incident that is read back. What it puts to `done` is taken apart by the threads that read: to free the
// thousand parts of a state is a good part of the work.
using TakeIncident = std::function<absl::Status(v1::Incident incident, std::vector<v1::Incident>& done)>;

// Folds all open incidents and gives them to `take`, in the order of their opening and in the caller's thread; many are
// read by as many threads as the machine has cores, some ahead of `take`. Errors: the journal's; take's, which ends it.
absl::Status ReplayOpenIncidents(Journal& journal, const TakeIncident& take);

}  // namespace omnix
