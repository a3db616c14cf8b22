#include "orchestrator/journal/memory_journal.h"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "common/status.h"
#include "orchestrator/core/evolve.h"
#include "orchestrator/core/names.h"

namespace omnix {

void MemoryJournal::FailNextAppend(Fault fault) {
  std::lock_guard lock(mutex_);
  (fault == Fault::kBeforeKeeping ? fail_before_ : fail_after_) = true;
}

void MemoryJournal::FailReopens(int count) {
  std::lock_guard lock(mutex_);
  failing_reopens_ = count;
}

void MemoryJournal::FailReads(int count) {
  const std::lock_guard lock(mutex_);
  failing_reads_ = count;
}

absl::Status MemoryJournal::Append(const Batch& batch) {
  std::lock_guard lock(mutex_);
  if (!failure_.ok()) return Annotate(failure_, "the journal takes nothing until it is opened again: ");
  if (batch.empty()) return absl::OkStatus();
  OMNIX_RETURN_IF_ERROR(Check(batch));
  if (!fail_before_) Keep(batch);
  if (fail_before_ || fail_after_) failure_ = Unavailable("memory journal: simulated failure of a commit");
  fail_before_ = fail_after_ = false;
  return failure_;
}

absl::Status MemoryJournal::Reopen() {
  std::lock_guard lock(mutex_);
  failure_ = absl::OkStatus();
  if (failing_reopens_ > 0) {
    --failing_reopens_;
    failure_ = Unavailable("memory journal: simulated failure of opening");
  }
  return failure_;
}

absl::Status MemoryJournal::Check(const Batch& batch) const {
  std::map<std::string, uint64_t> last;
  std::map<std::pair<std::string, std::string>, bool> known_alerts;
  for (const v1::RecordedEvent& recorded : batch.events) {
    const v1::Event& event = recorded.event();
    const std::string& incident = event.incident_id();
    if (incident.empty() || !event.has_time() || event.kind_case() == v1::Event::KIND_NOT_SET) {
      return InvalidArgument(
          "an event needs an incident, a time and a kind; this one (incident '{}', sequence {}) lacks one", incident,
          event.sequence());
    }
    const auto stored = incidents_.find(incident);
    auto [known, added] = last.try_emplace(incident, stored == incidents_.end() ? 0 : stored->second.events.size());
    if (event.sequence() != known->second + 1) {
      return InvalidArgument("{}: event {} does not follow event {}", incident, event.sequence(), known->second);
    }
    known->second = event.sequence();
    for (const auto& alert : event.incident_opened().alerts()) known_alerts[{incident, alert.fingerprint()}] = true;
    if (event.has_alerts_moved() && event.alerts_moved().all()) {
      for (auto it = alerts_.lower_bound({incident, ""}); it != alerts_.end() && it->first.first == incident; ++it) {
        known_alerts[{event.alerts_moved().to(), it->first.second}] = true;
      }
    }
    if (event.has_alert_attached()) known_alerts[{incident, event.alert_attached().alert().fingerprint()}] = true;
  }
  for (const auto& key : batch.repeated_alerts) {
    if (alerts_.count(key) == 0 && known_alerts.count(key) == 0) {
      return InvalidArgument("{}: it has no alert {} to count", key.first, key.second);
    }
  }
  return absl::OkStatus();
}

void MemoryJournal::Keep(const Batch& batch) {
  for (const Pin& pin : batch.pins) pins_.emplace(pin.hash, pin.content);
  for (const v1::RecordedEvent& recorded : batch.events) {
    const v1::Event& event = recorded.event();
    ++events_;
    Stored& incident = incidents_[event.incident_id()];
    Project(incident, event);
    if (event.has_incident_opened() || event.has_alert_attached())
      readings_[events_] = {event.incident_id(), incident.events.size()};
    incident.events.push_back(recorded);
  }
  for (const auto& [fingerprint, pending] : batch.pending_alerts) {
    pending ? void(pending_[fingerprint] = *pending) : void(pending_.erase(fingerprint));
  }
  for (const auto& key : batch.repeated_alerts) {
    v1::ListedAlert& listed = alerts_[key].listed;
    listed.set_count(listed.count() + 1);
  }
}

void MemoryJournal::Project(Stored& incident, const v1::Event& event) {
  v1::IncidentSummary& summary = incident.summary;
  Evolve(incident.state, event);
  summary.set_alerts(incident.state.alert_counts().total());
  summary.set_alerts_firing(incident.state.alert_counts().firing());
  switch (event.kind_case()) {
    case v1::Event::kIncidentOpened: {
      const v1::IncidentOpened& opened = event.incident_opened();
      opened_.push_back(event.incident_id());
      summary.set_id(event.incident_id());
      summary.set_title(opened.title());
      summary.set_severity(opened.severity());
      summary.set_phase(v1::PHASE_DETECTED);
      *summary.mutable_opened_at() = event.time();
      for (const v1::Alert& alert : opened.alerts()) PutAlert(incident, alert);
      break;
    }
    case v1::Event::kAlertAttached:
      summary.set_severity(event.alert_attached().severity());
      PutAlert(incident, event.alert_attached().alert());
      break;
    case v1::Event::kAlertsTaken:
      summary.set_severity(event.alerts_taken().severity());
      break;
    case v1::Event::kAlertsMoved:
      summary.set_severity(event.alerts_moved().severity());
      MoveAlerts(event.incident_id(), event.alerts_moved());
      break;
    case v1::Event::kIncidentReopened:
      summary.clear_resolved_at();
      break;
    case v1::Event::kPhaseEntered:
      summary.set_phase(event.phase_entered().phase());
      break;
    case v1::Event::kPaused:
      summary.set_paused(true);
      break;
    case v1::Event::kResumed:
      summary.set_paused(false);
      break;
    case v1::Event::kIncidentEscalated:
      summary.set_phase(v1::PHASE_ESCALATED);
      summary.clear_resolved_at();
      break;
    case v1::Event::kIncidentCancelled:
      summary.set_phase(v1::PHASE_CANCELLED);
      summary.clear_resolved_at();
      break;
    case v1::Event::kIncidentResolved:
      summary.set_phase(v1::PHASE_RESOLVED);
      *summary.mutable_resolved_at() = event.time();
      break;
    default:
      break;
  }
}

void MemoryJournal::PutAlert(Stored& incident, const v1::Alert& alert) {
  StoredAlert& stored = alerts_[{incident.summary.id(), alert.fingerprint()}];
  stored.event = events_;
  *stored.listed.mutable_alert() = alert;
  stored.listed.set_incident_id(incident.summary.id());
  stored.listed.set_count(stored.listed.count() + 1);
}

void MemoryJournal::MoveAlerts(const std::string& from, const v1::AlertsMoved& moved) {
  for (auto it = alerts_.lower_bound({from, ""}); it != alerts_.end() && it->first.first == from;) {
    const auto& fingerprints = moved.fingerprints();
    const std::string& fingerprint = it->first.second;
    if (!moved.all() && std::find(fingerprints.begin(), fingerprints.end(), fingerprint) == fingerprints.end()) {
      ++it;
      continue;
    }
    const auto [entry, added] = alerts_.try_emplace({moved.to(), fingerprint}, it->second);
    v1::ListedAlert& listed = entry->second.listed;
    // A split opened the other one with it.
    if (!added) listed.set_count(listed.count() + it->second.listed.count() - (moved.all() ? 0 : 1));
    listed.set_incident_id(moved.to());
    it = alerts_.erase(it);
  }
}

std::vector<const MemoryJournal::Stored*> MemoryJournal::InOrderOfOpening(bool open_only) const {
  std::vector<const Stored*> found;
  for (const std::string& id : opened_) {
    const Stored& incident = incidents_.at(id);
    if (!open_only || !IsClosed(incident.summary.phase())) found.push_back(&incident);
  }
  return found;
}

absl::StatusOr<std::vector<v1::RecordedEvent>> MemoryJournal::ReadEvents(const std::string& incident_id, uint64_t after,
                                                                         size_t limit) {
  std::lock_guard lock(mutex_);
  const auto found = incidents_.find(incident_id);
  if (found == incidents_.end() || after >= found->second.events.size()) return std::vector<v1::RecordedEvent>();
  const auto first = found->second.events.begin() + static_cast<std::ptrdiff_t>(after);
  const size_t count = std::min(limit, found->second.events.size() - static_cast<size_t>(after));
  return std::vector<v1::RecordedEvent>(first, first + static_cast<std::ptrdiff_t>(count));
}

absl::Status MemoryJournal::VisitEvents(const std::string& incident_id,
                                        const std::function<void(const v1::Event& event)>& visit) {
  std::lock_guard lock(mutex_);
  const auto found = incidents_.find(incident_id);
  if (found == incidents_.end()) return absl::OkStatus();
  for (const v1::RecordedEvent& recorded : found->second.events) visit(recorded.event());
  return absl::OkStatus();
}

absl::Status MemoryJournal::VisitRecentAlerts(size_t count, const std::function<void(const v1::Event& event)>& visit) {
  std::lock_guard lock(mutex_);
  const uint64_t before = events_ - std::min<uint64_t>(count, events_);
  for (auto it = readings_.upper_bound(before); it != readings_.end(); ++it) {
    const auto& [incident, index] = it->second;
    visit(incidents_.at(incident).events[index].event());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> MemoryJournal::OpenIncidentIds() {
  std::lock_guard lock(mutex_);
  if (failing_reads_ > 0) {
    --failing_reads_;
    return Unavailable("memory journal: a read fails on demand");
  }
  std::vector<std::string> ids;
  for (const Stored* incident : InOrderOfOpening(/*open_only=*/true)) ids.push_back(incident->summary.id());
  return ids;
}

absl::StatusOr<std::string> MemoryJournal::ReadPin(const std::string& hash) {
  std::lock_guard lock(mutex_);
  const auto found = pins_.find(hash);
  if (found == pins_.end()) return NotFound("memory journal: it has no pin {}", hash);
  return found->second;
}

absl::StatusOr<std::vector<v1::IncidentSummary>> MemoryJournal::ListIncidents(bool open_only, size_t limit) {
  std::lock_guard lock(mutex_);
  const std::vector<const Stored*> found = InOrderOfOpening(open_only);
  std::vector<v1::IncidentSummary> incidents;
  for (auto it = found.rbegin(); it != found.rend() && incidents.size() < limit; ++it) {
    incidents.push_back((*it)->summary);
  }
  return incidents;
}

absl::StatusOr<std::vector<v1::ListedAlert>> MemoryJournal::ListAlerts(bool firing_only, size_t limit) {
  std::lock_guard lock(mutex_);
  std::vector<const StoredAlert*> found;
  for (const auto& [key, alert] : alerts_) {
    if (!firing_only || alert.listed.alert().status() == v1::ALERT_STATUS_FIRING) found.push_back(&alert);
  }
  const auto age = [](const StoredAlert* alert) { return std::tie(alert->event, alert->listed.alert().fingerprint()); };
  std::sort(found.begin(), found.end(), [&](const auto* a, const auto* b) { return age(a) > age(b); });
  std::vector<v1::ListedAlert> alerts;
  for (size_t i = 0; i < std::min(limit, found.size()); ++i) alerts.push_back(found[i]->listed);
  return alerts;
}

absl::StatusOr<std::vector<ListedAlertKey>> MemoryJournal::ListAlertKeys(bool firing_only, size_t limit) {
  OMNIX_ASSIGN_OR_RETURN(const auto listed, ListAlerts(firing_only, limit));
  std::vector<ListedAlertKey> keys;
  for (const v1::ListedAlert& alert : listed) {
    ListedAlertKey& key = keys.emplace_back();
    key.incident_id = alert.incident_id();
    key.alert.set_fingerprint(alert.alert().fingerprint());
    key.alert.set_status(alert.alert().status());
    key.alert.set_severity(alert.alert().severity());
  }
  return keys;
}

absl::Status MemoryJournal::ReadAlertKeys(const std::string& incident_id,
                                          const std::function<void(const v1::AlertKey& alert)>& visit) {
  std::vector<v1::AlertKey> keys;
  {
    std::lock_guard lock(mutex_);
    for (auto it = alerts_.lower_bound({incident_id, ""}); it != alerts_.end() && it->first.first == incident_id;
         ++it) {
      v1::AlertKey& key = keys.emplace_back();
      key.set_fingerprint(it->first.second);
      key.set_status(it->second.listed.alert().status());
      key.set_severity(it->second.listed.alert().severity());
    }
  }
  for (const auto& key : keys) visit(key);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<v1::Alert>> MemoryJournal::ReadAlerts(const std::string& incident_id,
                                                                 const std::set<std::string>& fingerprints) {
  std::lock_guard lock(mutex_);
  std::vector<v1::Alert> alerts;
  for (const std::string& fingerprint : fingerprints) {
    const auto found = alerts_.find({incident_id, fingerprint});
    if (found == alerts_.end()) return NotFound("{} has no alert {}", incident_id, fingerprint);
    alerts.push_back(found->second.listed.alert());
  }
  return alerts;
}

absl::StatusOr<std::vector<v1::PendingAlert>> MemoryJournal::ReadPendingAlerts() {
  std::lock_guard lock(mutex_);
  std::vector<v1::PendingAlert> pending;
  for (const auto& [fingerprint, alert] : pending_) pending.push_back(alert);
  return pending;
}

absl::StatusOr<uint32_t> MemoryJournal::LastIncidentNumber(const std::string& day) {
  std::lock_guard lock(mutex_);
  const std::string prefix = "INC-" + day + "-";
  uint32_t last = 0;
  for (auto it = incidents_.lower_bound(prefix); it != incidents_.end() && it->first.rfind(prefix, 0) == 0; ++it) {
    uint32_t number = 0;
    std::from_chars(it->first.data() + prefix.size(), it->first.data() + it->first.size(), number);
    last = std::max(last, number);
  }
  return last;
}

}  // namespace omnix
