#include "orchestrator/engine/incident_timers.h"

#include <algorithm>

namespace omnix {
namespace {

bool SameTimer(const Timer& a, const Timer& b) {
  return a.kind == b.kind && a.at == b.at && a.attempt == b.attempt && a.subject == b.subject;
}

}  // namespace

void IncidentTimers::Set(const std::string& incident_id, const std::vector<Timer>& timers, absl::Time now,
                         absl::Duration monotonic) {
  std::vector<Entry>& old = entries_[incident_id];
  std::vector<Entry> entries;
  entries.reserve(timers.size());
  for (const Timer& timer : timers) {
    const auto known = std::find_if(old.begin(), old.end(), [&](const Entry& e) { return SameTimer(e.timer, timer); });
    if (known != old.end()) {
      entries.push_back(*known);
    } else {
      entries.push_back({timer, monotonic + std::clamp(timer.at - now, absl::ZeroDuration(), timer.longest), false});
    }
  }
  old = std::move(entries);
  Index(incident_id);
}

void IncidentTimers::Index(const std::string& incident_id) {
  absl::Duration next = absl::InfiniteDuration();
  for (const Entry& entry : entries_[incident_id]) {
    if (!entry.fired) next = std::min(next, entry.due);
  }
  const auto queued = next_.find(incident_id);
  // One that is queued too early stays: TakeDue finds nothing due and puts it right. A task that ends before its time
  // is up would otherwise move its incident back and forth in the queue at every step.
  if (queued != next_.end() && queued->second <= next && next != absl::InfiniteDuration()) return;
  if (queued != next_.end()) Unqueue(queued);
  if (next == absl::InfiniteDuration()) return;
  next_[incident_id] = next;
  queue_.insert({next, incident_id});
}

void IncidentTimers::Unqueue(std::map<std::string, absl::Duration>::iterator queued) {
  queue_.erase({queued->second, queued->first});
  next_.erase(queued);
}

void IncidentTimers::SetAgain(const std::string& incident_id, const Timer& timer, absl::Duration due) {
  for (Entry& entry : entries_[incident_id]) {
    if (!SameTimer(entry.timer, timer)) continue;
    entry.due = due;
    entry.fired = false;
  }
  Index(incident_id);
}

void IncidentTimers::Remove(const std::string& incident_id) {
  entries_[incident_id].clear();
  Index(incident_id);
  entries_.erase(incident_id);
}

void IncidentTimers::Clear() {
  entries_.clear();
  next_.clear();
  queue_.clear();
}

std::vector<std::pair<std::string, Timer>> IncidentTimers::TakeDue(absl::Duration monotonic) {
  std::vector<std::pair<std::string, Timer>> due;
  while (!queue_.empty() && queue_.begin()->first <= monotonic) {
    const std::string incident_id = queue_.begin()->second;
    Unqueue(next_.find(incident_id));
    for (Entry& entry : entries_[incident_id]) {
      if (entry.fired || entry.due > monotonic) continue;
      entry.fired = true;
      due.emplace_back(incident_id, entry.timer);
    }
    Index(incident_id);
  }
  return due;
}

absl::Duration IncidentTimers::NextDue() const {
  return queue_.empty() ? absl::InfiniteDuration() : queue_.begin()->first;
}

}  // namespace omnix
