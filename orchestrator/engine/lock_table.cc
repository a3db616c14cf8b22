#include "orchestrator/engine/lock_table.h"

#include <algorithm>
#include <set>

namespace omnix {

void LockTable::SetHeld(const std::string& incident_id, const ResourceNames& resources) {
  for (const auto& name : held_[incident_id]) holder_.erase(name);
  held_[incident_id].assign(resources.begin(), resources.end());
  for (const auto& name : resources) holder_[name] = incident_id;
  if (resources.empty()) held_.erase(incident_id);
}

void LockTable::Wait(const std::string& incident_id, const ResourceNames& resources) {
  const bool queued = std::any_of(waiters_.begin(), waiters_.end(),
                                  [&](const Waiter& waiter) { return waiter.incident_id == incident_id; });
  if (!queued) waiters_.push_back({incident_id, {resources.begin(), resources.end()}});
}

void LockTable::StopWaiting(const std::string& incident_id) {
  std::erase_if(waiters_, [&](const Waiter& waiter) { return waiter.incident_id == incident_id; });
}

std::vector<std::string> LockTable::Grantable() const {
  std::vector<std::string> grantable;
  std::set<std::string> wanted_earlier;
  for (const auto& waiter : waiters_) {
    const bool free = std::all_of(waiter.resources.begin(), waiter.resources.end(), [&](const std::string& name) {
      return !holder_.contains(name) && !wanted_earlier.contains(name);
    });
    if (free) grantable.push_back(waiter.incident_id);
    wanted_earlier.insert(waiter.resources.begin(), waiter.resources.end());
  }
  return grantable;
}

LockTable::Obstacle LockTable::InTheWayOf(const std::string& incident_id, const ResourceNames& resources) const {
  for (const auto& name : resources) {
    const auto held = holder_.find(name);
    if (held != holder_.end()) return {name, held->second, true};
  }
  for (const auto& waiter : waiters_) {
    if (waiter.incident_id == incident_id) break;
    for (const auto& name : resources) {
      const auto wanted = std::find(waiter.resources.begin(), waiter.resources.end(), name);
      if (wanted != waiter.resources.end()) return {name, waiter.incident_id, false};
    }
  }
  return {};
}

void LockTable::Clear() {
  holder_.clear();
  held_.clear();
  waiters_.clear();
}

}  // namespace omnix
