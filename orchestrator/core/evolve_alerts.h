// The part of the fold that is about alerts: all are counted, a bounded number is kept whole.
#pragma once

#include <omnix/v1/event.pb.h>
#include <omnix/v1/incident.pb.h>

#include <string>

namespace omnix {

// Alerts that an incident's state keeps whole.
inline constexpr int kMaxAlertsInState = 256;
inline constexpr int kMaxFlappingInState = 64;
inline constexpr int kMaxRelatedInState = 64;

// Place in the incident's list; -1 where it isn't there. An incident may have an alert that its state doesn't keep.
int FindAlert(const v1::Incident& incident, const std::string& fingerprint);
int FindFlapping(const v1::Incident& incident, const std::string& fingerprint);

// There are alerts, and all of them have cleared.
bool AllCleared(const v1::Incident& incident);

// One alert less or more, by what was last read of it; UNSPECIFIED is an alert that the incident doesn't have.
void Uncount(v1::AlertCounts& counts, v1::AlertStatus status, v1::Severity severity);
void Count(v1::AlertCounts& counts, v1::AlertStatus status, v1::Severity severity);
// The worst of all alerts counted.
v1::Severity WorstOf(const v1::AlertCounts& counts);

// One for each kind of event about alerts; see Evolve.
void ApplyAlerts(v1::Incident& incident, const v1::Event& event, const v1::IncidentOpened& opened);
void ApplyAlerts(v1::Incident& incident, const v1::Event& event, const v1::AlertAttached& attached);
void ApplyAlerts(v1::Incident& incident, const v1::Event& event, const v1::AlertFlapping& flapping);
void ApplyAlerts(v1::Incident& incident, const v1::Event& event, const v1::AlertSettled& settled);
void ApplyAlerts(v1::Incident& incident, const v1::Event& event, const v1::AlertsTaken& taken);
void ApplyAlerts(v1::Incident& incident, const v1::Event& event, const v1::AlertsMoved& moved);

}  // namespace omnix
