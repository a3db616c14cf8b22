#include "orchestrator/engine/replay.h"

#include "common/status.h"
#include "orchestrator/core/evolve.h"

namespace omnix {
namespace {

constexpr size_t kEventsAtATime = 1'000;

}  // namespace

absl::StatusOr<v1::Incident> Replay(Journal& journal, const std::string& incident_id) {
  v1::Incident incident;
  while (true) {
    OMNIX_ASSIGN_OR_RETURN(const auto events, journal.ReadEvents(incident_id, incident.sequence(), kEventsAtATime));
    for (const auto& recorded : events) Evolve(incident, recorded.event());
    if (events.size() < kEventsAtATime) return incident;
  }
}

}  // namespace omnix
