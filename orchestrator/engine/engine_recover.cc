// The start: what the journal says is open goes on.
#include "common/crash_point.h"
#include "common/status.h"
#include "orchestrator/engine/engine.h"
#include "orchestrator/engine/replay.h"

namespace omnix {

// Incident by incident, so that those which only wait need not all be in memory at the same time.
absl::Status Engine::Recover() {
  const auto resume = [this](v1::Incident incident, std::vector<v1::Incident>& parked) {
    const absl::Status resumed = Resume(std::move(incident));
    ParkIdle(&parked);
    return resumed;
  };
  OMNIX_RETURN_IF_ERROR(ReplayOpenIncidents(journal_, resume));
  OMNIX_RETURN_IF_ERROR(IndexEndedAlerts());
  OMNIX_RETURN_IF_ERROR(RecountFlaps());
  OMNIX_RETURN_IF_ERROR(prior_.Load(journal_));
  OMNIX_ASSIGN_OR_RETURN(auto pending, journal_.ReadPendingAlerts());
  pending_.Load(std::move(pending));
  OMNIX_CRASH_POINT("engine.events_read");
  refusing_ = absl::OkStatus();
  OMNIX_CRASH_POINT("engine.before_resuming");
  DispatchAll();
  OMNIX_CRASH_POINT("engine.recovered");
  return absl::OkStatus();
}

absl::Status Engine::Resume(v1::Incident state) {
  const std::string id = state.id();
  Live& live = live_[id];
  live.state = std::move(state);
  OMNIX_ASSIGN_OR_RETURN(live.run_by, run_by_.Load(live.state.pins(), journal_));
  locks_.SetHeld(id, live.state.resources());
  OMNIX_RETURN_IF_ERROR(IndexAlerts(live));
  // Leases of an earlier process: their agents get the time of a lease to come back for them.
  for (const auto& task : live.state.tasks()) {
    if (task.state() != v1::TASK_STATE_RUNNING) continue;
    registry_.Expect(task.agent(), clock_.Monotonic()).leases.insert({id, task.id(), task.attempt()});
  }
  Settle(id);
  return absl::OkStatus();
}

}  // namespace omnix
