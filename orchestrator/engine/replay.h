// The state of incidents, read back from the journal.
#pragma once

#include <omnix/v1/incident.pb.h>

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "orchestrator/journal/journal.h"

namespace omnix {

// Folds the incident's events. The id is empty where the journal has no event of it. Errors: the journal's. As
// thread-safe as the journal.
absl::StatusOr<v1::Incident> Replay(Journal& journal, const std::string& incident_id);

// Folds all open incidents and gives them to `take`, in the order of their opening and in the caller's thread; many are
// read by as many threads as the machine has cores, some ahead of `take`. Errors: the journal's; take's, which ends it.
absl::Status ReplayOpenIncidents(Journal& journal, const std::function<absl::Status(v1::Incident incident)>& take);

}  // namespace omnix
