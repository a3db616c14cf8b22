// What the benchmarked omnixd is given: a system of one service, a playbook of twelve tasks one after the other for
// five kinds of agents, and alerts that each open an incident.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/json.h"

namespace omnix::bench {

const std::vector<std::string>& AgentKinds();
std::string SystemYaml();
std::string PlaybookYaml();
// One alert as Prometheus Alertmanager sends it.
Json AlertJson(uint64_t number);
Json WebhookJson(Json alerts);

}  // namespace omnix::bench
