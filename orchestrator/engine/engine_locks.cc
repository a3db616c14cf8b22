// Locks: they follow the incidents' states, but for attempts that were cancelled and may still change something.
#include <algorithm>

#include "common/crash_point.h"
#include "orchestrator/core/decision.h"
#include "orchestrator/engine/engine.h"

namespace omnix {

void Engine::GrantLocks() {
  for (const auto& incident_id : locks_.Grantable()) {
    Live* live = FindLive(incident_id);
    locks_.StopWaiting(incident_id);
    OMNIX_CRASH_POINT("engine.before_lock");
    if (live != nullptr && Run(*live, command::LockResources{}).ok()) Settle(incident_id);
  }
}

void Engine::UpdateLocks(const v1::Incident& incident) {
  if (!incident.resources().empty()) {
    lingering_.erase(incident.id());
    return locks_.SetHeld(incident.id(), incident.resources());
  }
  Lingering lingering;
  for (const auto& task : incident.tasks()) {
    if (!task.spec().approval()) continue;
    const LeaseKey lease{incident.id(), task.id(), task.attempt()};
    const RegisteredAgent* agent = registry_.Find(task.agent());
    if (agent == nullptr || !agent->leases.contains(lease)) continue;
    lingering.leases.insert(lease);
    // The agent begins no effect after the time of its attempt, which it counts from when the task reached it.
    lingering.until = std::max(lingering.until, clock_.Monotonic() + TimeoutOf(task.spec()) + options_.lease_duration);
  }
  if (lingering.leases.empty()) return locks_.SetHeld(incident.id(), {});
  lingering_[incident.id()] = std::move(lingering);
}

void Engine::StopLingering(const LeaseKey& lease) {
  const auto found = lingering_.find(lease.incident_id);
  if (found == lingering_.end()) return;
  found->second.leases.erase(lease);
  if (!found->second.leases.empty()) return;
  lingering_.erase(found);
  locks_.SetHeld(lease.incident_id, {});
}

void Engine::ExpireLingering() {
  std::erase_if(lingering_, [&](const auto& entry) {
    if (entry.second.until > clock_.Monotonic()) return false;
    locks_.SetHeld(entry.first, {});
    return true;
  });
}

}  // namespace omnix
