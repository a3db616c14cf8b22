// Whether an alert belongs to an incident that is already being handled. Pure.
#pragma once

#include <omnix/v1/alert.pb.h>
#include <omnix/v1/incident.pb.h>
#include <omnix/v1/system_model.pb.h>

namespace omnix {

// True where the alert's subject and the subject of one of the incident's alerts are the same service, or services (or
// clients) that depend on each other, directly or through others. An alert whose subject the system model does not know
// joins nothing: it opens an incident of its own.
bool JoinsIncident(const v1::Alert& alert, const v1::Incident& incident, const v1::SystemModel& system);

}  // namespace omnix
