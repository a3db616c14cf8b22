// What users' own requests show of a service, so that they need not be made again: above all those that change
// something, which a diagnosis may not send.
#pragma once

#include "agents/investigation/scene.h"

namespace omnix {

// By the ends of the access logs: where a POST, PUT, PATCH or DELETE was served within the last quarter of an hour and
// none like it has failed since, its route is known to be there.
void LearnFromUsers(Scene* scene);

}  // namespace omnix
