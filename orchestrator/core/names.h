// The words for people: "Investigating", "critical", "running".
#pragma once

#include <omnix/v1/incident.pb.h>

#include <string>

namespace omnix {

std::string PhaseName(v1::Phase phase);
std::string SeverityName(v1::Severity severity);
std::string TaskStateName(v1::TaskState state);

// Resolved or Cancelled: nothing is in flight and memory need not hold it.
bool IsClosed(v1::Phase phase);

// Succeeded, failed, skipped or cancelled.
bool HasEnded(v1::TaskState state);

}  // namespace omnix
