#include "orchestrator/engine/watch_hub.h"

#include <algorithm>

#include "common/status.h"

namespace omnix {
namespace {

constexpr size_t kMaxEventsAtOnce = 1'000'000;

bool EndsIncident(const v1::Event& event) { return event.has_incident_resolved() || event.has_incident_cancelled(); }

}  // namespace

bool WatchHub::Offer(Watcher& watcher, const v1::WatchIncidentResponse& update, bool ends_with_incident) {
  if (update.has_event()) {
    if (ends_with_incident && update.event().sequence() <= watcher.last_sequence) return true;
    watcher.last_sequence = update.event().sequence();
  }
  if (!watcher.sink->OnUpdate(update)) return false;
  if (!ends_with_incident || !update.has_event() || !EndsIncident(update.event())) return true;
  watcher.sink->OnEnd(absl::OkStatus());
  return false;
}

void WatchHub::Add(const v1::WatchIncidentRequest& request, std::shared_ptr<WatchSink> sink) {
  DropRemoved();
  Watcher watcher{std::move(sink), request.after_sequence()};
  if (request.incident_id().empty()) {
    watchers_[""].push_back(std::move(watcher));
    return;
  }
  const auto recorded = journal_.ReadEvents(request.incident_id(), 0, kMaxEventsAtOnce);
  if (!recorded.ok()) return watcher.sink->OnEnd(recorded.status());
  if (recorded->empty()) return watcher.sink->OnEnd(NotFound("no incident {}", request.incident_id()));
  bool ended = false;
  for (const auto& entry : *recorded) {
    if (entry.event().has_incident_escalated() || entry.event().has_phase_entered()) ended = false;
    ended |= EndsIncident(entry.event());
    if (entry.event().sequence() <= request.after_sequence()) continue;
    v1::WatchIncidentResponse update;
    *update.mutable_event() = entry.event();
    update.set_text(entry.text());
    watcher.last_sequence = entry.event().sequence();
    if (!watcher.sink->OnUpdate(update)) return;
  }
  if (ended) return watcher.sink->OnEnd(absl::OkStatus());
  watchers_[request.incident_id()].push_back(std::move(watcher));
}

void WatchHub::Show(const v1::WatchIncidentResponse& update, const std::string& incident_id) {
  if (watchers_.empty()) return;
  DropRemoved();
  for (const std::string& key : {incident_id, std::string()}) {
    const auto found = watchers_.find(key);
    if (found == watchers_.end()) continue;
    std::erase_if(found->second, [&](Watcher& watcher) { return !Offer(watcher, update, !key.empty()); });
    if (found->second.empty()) watchers_.erase(found);
  }
}

void WatchHub::EndAll(const absl::Status& status) {
  DropRemoved();
  for (auto& [incident_id, watchers] : watchers_) {
    for (auto& watcher : watchers) watcher.sink->OnEnd(status);
  }
  watchers_.clear();
}

void WatchHub::Remove(const std::shared_ptr<WatchSink>& sink) {
  const std::lock_guard lock(mutex_);
  removed_.insert(sink);
}

void WatchHub::DropRemoved() {
  std::set<std::shared_ptr<WatchSink>> removed;
  {
    const std::lock_guard lock(mutex_);
    removed.swap(removed_);
  }
  if (removed.empty()) return;
  for (auto it = watchers_.begin(); it != watchers_.end();) {
    std::erase_if(it->second, [&](const Watcher& watcher) { return removed.contains(watcher.sink); });
    it = it->second.empty() ? watchers_.erase(it) : std::next(it);
  }
}

}  // namespace omnix
