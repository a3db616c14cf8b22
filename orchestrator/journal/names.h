// The words of the journal's tables that core/names.h does not have, and the way back from a word to its value.
#pragma once

#include <omnix/v1/event.pb.h>

#include <string>

namespace omnix {

// "TaskAssigned". Empty where the event has no kind.
const std::string& EventTypeName(v1::Event::KindCase kind);

// "firing", "resolved".
std::string AlertStatusName(v1::AlertStatus status);
v1::AlertStatus AlertStatusFromName(const std::string& name);
// "low", "medium", "high".
std::string RiskName(v1::Risk risk);

// The inverse of core's PhaseName and SeverityName; the zero value for an unknown name.
v1::Phase PhaseFromName(const std::string& name);
v1::Severity SeverityFromName(const std::string& name);

}  // namespace omnix
