// The state of an incident, read back from the journal.
#pragma once

#include <omnix/v1/incident.pb.h>

#include <string>

#include "absl/status/statusor.h"
#include "orchestrator/journal/journal.h"

namespace omnix {

// Folds the incident's events, some thousand at a time: one of a storm has more than should be in memory at once. The
// id is empty where the journal has no event of it. Errors: the journal's. As thread-safe as the journal.
absl::StatusOr<v1::Incident> Replay(Journal& journal, const std::string& incident_id);

}  // namespace omnix
