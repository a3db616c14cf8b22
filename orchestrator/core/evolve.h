// The fold: what an event makes of an incident.
#pragma once

#include <omnix/v1/event.pb.h>
#include <omnix/v1/incident.pb.h>

namespace omnix {

inline constexpr int kMaxEvidenceInState = 256;

// Total and deterministic: never fails, reads nothing but its arguments. Replaying the events of an incident gives its
// state, byte for byte.
void Evolve(v1::Incident& incident, const v1::Event& event);

// Lookups that the rest of the core shares; null where there is none.
const v1::Task* FindTask(const v1::Incident& incident, const std::string& task_id);
// The recovery in work: the last one, unless it has an outcome.
const v1::Recovery* CurrentRecovery(const v1::Incident& incident);

}  // namespace omnix
