#include "orchestrator/core/evolve_alerts.h"

#include <algorithm>
#include <set>
#include <utility>

namespace omnix {
namespace {

bool Fires(const v1::Alert& alert) { return alert.status() != v1::ALERT_STATUS_RESOLVED; }

std::pair<bool, int> RankOf(const v1::Alert& alert) { return {Fires(alert), alert.severity()}; }

// Of those that are worth the same the earlier ones stay: they tell how it began, and a storm of equals moves nothing.
void Keep(v1::Incident& incident, const v1::Alert& alert) {
  if (incident.alerts_size() < kMaxAlertsInState) {
    *incident.add_alerts() = alert;
    return;
  }
  int least = 1;
  for (int i = 2; i < incident.alerts_size(); ++i) {
    if (RankOf(incident.alerts(i)) < RankOf(incident.alerts(least))) least = i;
  }
  if (RankOf(incident.alerts(least)) >= RankOf(alert)) return;
  incident.mutable_alerts()->DeleteSubrange(least, 1);
  *incident.add_alerts() = alert;
}

void Put(v1::Incident& incident, const v1::Alert& alert) {
  const int place = FindAlert(incident, alert.fingerprint());
  place < 0 ? Keep(incident, alert) : void(*incident.mutable_alerts(place) = alert);
}

void RemoveFlapping(v1::Incident& incident, const std::string& fingerprint) {
  const int place = FindFlapping(incident, fingerprint);
  if (place >= 0) incident.mutable_flapping()->DeleteSubrange(place, 1);
}

void AddRelated(v1::Incident& incident, const std::string& other, v1::Relation relation, const v1::Event& event) {
  if (incident.related_size() >= kMaxRelatedInState) return;
  auto* related = incident.add_related();
  related->set_incident_id(other);
  related->set_relation(relation);
  *related->mutable_at() = event.time();
}

// Events of older versions do not say it: then from the alerts that are kept, which were all of them.
v1::AlertCounts CountsOf(const v1::Incident& incident, const v1::AlertAttached& attached) {
  if (attached.has_counts()) return attached.counts();
  v1::AlertCounts counts = incident.alert_counts();
  const int place = FindAlert(incident, attached.alert().fingerprint());
  if (place >= 0) Uncount(counts, incident.alerts(place).status(), incident.alerts(place).severity());
  Count(counts, attached.alert().status(), attached.alert().severity());
  return counts;
}

// One more, or one less, in the number that counts alerts of this severity.
void AddTo(v1::AlertCounts& counts, v1::Severity severity, bool add) {
  auto changed = [&](uint32_t number) { return add ? number + 1 : number - (number > 0 ? 1 : 0); };
  switch (severity) {
    case v1::SEVERITY_CRITICAL:
      return counts.set_critical(changed(counts.critical()));
    case v1::SEVERITY_ERROR:
      return counts.set_error(changed(counts.error()));
    case v1::SEVERITY_WARNING:
      return counts.set_warning(changed(counts.warning()));
    case v1::SEVERITY_INFO:
      return counts.set_info(changed(counts.info()));
    default:
      return counts.set_unknown(changed(counts.unknown()));
  }
}

}  // namespace

int FindAlert(const v1::Incident& incident, const std::string& fingerprint) {
  for (int i = 0; i < incident.alerts_size(); ++i) {
    if (incident.alerts(i).fingerprint() == fingerprint) return i;
  }
  return -1;
}

int FindFlapping(const v1::Incident& incident, const std::string& fingerprint) {
  for (int i = 0; i < incident.flapping_size(); ++i) {
    if (incident.flapping(i).fingerprint() == fingerprint) return i;
  }
  return -1;
}

bool AllCleared(const v1::Incident& incident) {
  return incident.alert_counts().total() > 0 && incident.alert_counts().firing() == 0;
}

void Uncount(v1::AlertCounts& counts, v1::AlertStatus status, v1::Severity severity) {
  if (status == v1::ALERT_STATUS_UNSPECIFIED) return;
  if (counts.total() > 0) counts.set_total(counts.total() - 1);
  if (status == v1::ALERT_STATUS_RESOLVED) {
    if (counts.resolved() > 0) counts.set_resolved(counts.resolved() - 1);
  } else if (counts.firing() > 0) {
    counts.set_firing(counts.firing() - 1);
  }
  AddTo(counts, severity, /*add=*/false);
}

void Count(v1::AlertCounts& counts, v1::AlertStatus status, v1::Severity severity) {
  counts.set_total(counts.total() + 1);
  status == v1::ALERT_STATUS_RESOLVED ? counts.set_resolved(counts.resolved() + 1)
                                      : counts.set_firing(counts.firing() + 1);
  AddTo(counts, severity, /*add=*/true);
}

v1::Severity WorstOf(const v1::AlertCounts& counts) {
  if (counts.critical() > 0) return v1::SEVERITY_CRITICAL;
  if (counts.error() > 0) return v1::SEVERITY_ERROR;
  if (counts.warning() > 0) return v1::SEVERITY_WARNING;
  return counts.info() > 0 ? v1::SEVERITY_INFO : v1::SEVERITY_UNKNOWN;
}

void ApplyAlerts(v1::Incident& incident, const v1::Event& event, const v1::IncidentOpened& opened) {
  for (const auto& alert : opened.alerts()) {
    Count(*incident.mutable_alert_counts(), alert.status(), alert.severity());
    Keep(incident, alert);
  }
  *incident.mutable_last_alert_at() = event.time();
  if (!opened.split_from().empty()) AddRelated(incident, opened.split_from(), v1::RELATION_SPLIT_FROM, event);
}

void ApplyAlerts(v1::Incident& incident, const v1::Event& event, const v1::AlertAttached& attached) {
  incident.set_severity(attached.severity());
  *incident.mutable_alert_counts() = CountsOf(incident, attached);
  *incident.mutable_last_alert_at() = event.time();
  const int flapping = attached.damped() ? FindFlapping(incident, attached.alert().fingerprint()) : -1;
  if (flapping < 0) return Put(incident, attached.alert());
  auto* entry = incident.mutable_flapping(flapping);
  if (entry->status() != attached.alert().status()) {
    entry->set_changes(entry->changes() + 1);
    *entry->mutable_last_change_at() = event.time();
  }
  entry->set_status(attached.alert().status());
  v1::Alert held = attached.alert();
  held.set_status(v1::ALERT_STATUS_FIRING);
  held.clear_ends_at();
  Put(incident, held);
}

void ApplyAlerts(v1::Incident& incident, const v1::Event& event, const v1::AlertFlapping& flapping) {
  *incident.mutable_alert_counts() = flapping.counts();
  RemoveFlapping(incident, flapping.fingerprint());
  auto* entry = incident.add_flapping();
  entry->set_fingerprint(flapping.fingerprint());
  entry->set_title(flapping.title());
  entry->set_changes(flapping.changes());
  *entry->mutable_quiet() = flapping.quiet();
  *entry->mutable_since() = event.time();
  *entry->mutable_last_change_at() = event.time();
  entry->set_status(flapping.status());
  const int place = FindAlert(incident, flapping.fingerprint());
  if (place < 0) return;
  incident.mutable_alerts(place)->set_status(v1::ALERT_STATUS_FIRING);
  incident.mutable_alerts(place)->clear_ends_at();
}

void ApplyAlerts(v1::Incident& incident, const v1::Event& event, const v1::AlertSettled& settled) {
  *incident.mutable_alert_counts() = settled.counts();
  const int flapping = FindFlapping(incident, settled.fingerprint());
  const int place = FindAlert(incident, settled.fingerprint());
  if (place >= 0) {
    auto* alert = incident.mutable_alerts(place);
    alert->set_status(settled.status());
    if (settled.status() == v1::ALERT_STATUS_RESOLVED) {
      *alert->mutable_ends_at() = flapping < 0 ? event.time() : incident.flapping(flapping).last_change_at();
    }
  }
  RemoveFlapping(incident, settled.fingerprint());
}

void ApplyAlerts(v1::Incident& incident, const v1::Event& event, const v1::AlertsTaken& taken) {
  incident.set_severity(taken.severity());
  *incident.mutable_alert_counts() = taken.counts();
  *incident.mutable_last_alert_at() = event.time();
  for (const auto& alert : taken.alerts()) Put(incident, alert);
  AddRelated(incident, taken.from(), v1::RELATION_MERGED_FROM, event);
}

void ApplyAlerts(v1::Incident& incident, const v1::Event& event, const v1::AlertsMoved& moved) {
  incident.set_severity(moved.severity());
  *incident.mutable_alert_counts() = moved.counts();
  AddRelated(incident, moved.to(), moved.all() ? v1::RELATION_MERGED_INTO : v1::RELATION_SPLIT_INTO, event);
  if (moved.all()) {
    incident.clear_alerts();
    return incident.clear_flapping();
  }
  const std::set<std::string> gone(moved.fingerprints().begin(), moved.fingerprints().end());
  auto& alerts = *incident.mutable_alerts();
  alerts.erase(std::remove_if(alerts.begin(), alerts.end(),
                              [&](const v1::Alert& alert) { return gone.contains(alert.fingerprint()); }),
               alerts.end());
  for (const auto& fingerprint : gone) RemoveFlapping(incident, fingerprint);
}

}  // namespace omnix
