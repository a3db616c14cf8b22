#include "orchestrator/engine/incident_timers.h"

#include <algorithm>

namespace omnix {
namespace {

bool SameTimer(const Timer& a, const Timer& b) {
  return a.kind == b.kind && a.at == b.at && a.attempt == b.attempt && a.subject == b.subject;
}

}  // namespace

IncidentTimers::Incident* IncidentTimers::Known(const std::string& incident_id) const {
  const auto found = incidents_.find(incident_id);
  return found == incidents_.end() ? nullptr : found->second.get();
}

void IncidentTimers::Set(const std::string& incident_id, std::vector<Timer> timers, absl::Time now,
                         absl::Duration monotonic) {
  Incident* incident = Known(incident_id);
  if (incident == nullptr) {
    auto added = std::make_unique<Incident>();
    added->id = incident_id;
    incident = added.get();
    incidents_.emplace(incident->id, std::move(added));
  }
  std::vector<Entry>& old = incident->entries;
  std::vector<Entry> entries;
  entries.reserve(timers.size());
  for (Timer& timer : timers) {
    const auto known = std::find_if(old.begin(), old.end(), [&](const Entry& e) { return SameTimer(e.timer, timer); });
    if (known != old.end()) {
      entries.push_back(*known);
    } else {
      const absl::Duration due = monotonic + std::clamp(timer.at - now, absl::ZeroDuration(), timer.longest);
      entries.push_back({std::move(timer), due, false});
    }
  }
  old = std::move(entries);
  Index(*incident);
}

void IncidentTimers::Index(Incident& incident) {
  absl::Duration next = absl::InfiniteDuration();
  for (const Entry& entry : incident.entries) {
    if (!entry.fired) next = std::min(next, entry.due);
  }
  // One that is queued too early stays: TakeDue finds nothing due and puts it right. A task that ends before its time
  // is up would otherwise move its incident back and forth in the queue at every step.
  if (incident.queued && *incident.queued <= next && next != absl::InfiniteDuration()) return;
  Unqueue(incident);
  if (next == absl::InfiniteDuration()) return;
  incident.queued = next;
  queue_.insert({next, &incident});
}

void IncidentTimers::Unqueue(Incident& incident) {
  if (incident.queued) queue_.erase({*incident.queued, &incident});
  incident.queued.reset();
}

void IncidentTimers::SetAgain(const std::string& incident_id, const Timer& timer, absl::Duration due) {
  Incident* const incident = Known(incident_id);
  if (incident == nullptr) return;
  for (Entry& entry : incident->entries) {
    if (!SameTimer(entry.timer, timer)) continue;
    entry.due = due;
    entry.fired = false;
  }
  Index(*incident);
}

void IncidentTimers::Remove(const std::string& incident_id) {
  Incident* const incident = Known(incident_id);
  if (incident == nullptr) return;
  Unqueue(*incident);
  incidents_.erase(incident_id);
}

void IncidentTimers::Clear() {
  queue_.clear();
  incidents_.clear();
}

std::vector<std::pair<std::string, Timer>> IncidentTimers::TakeDue(absl::Duration monotonic) {
  std::vector<std::pair<std::string, Timer>> due;
  while (!queue_.empty() && queue_.begin()->first <= monotonic) {
    Incident& incident = *queue_.begin()->second;
    Unqueue(incident);
    for (Entry& entry : incident.entries) {
      if (entry.fired || entry.due > monotonic) continue;
      entry.fired = true;
      due.emplace_back(incident.id, entry.timer);
    }
    Index(incident);
  }
  return due;
}

absl::Duration IncidentTimers::NextDue() const {
  return queue_.empty() ? absl::InfiniteDuration() : queue_.begin()->first;
}

}  // namespace omnix
