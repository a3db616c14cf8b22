// Where to look first: what the dependencies between the alerting services say, without any further evidence.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "orchestrator/engine/dependency_graph.h"

namespace omnix {

inline constexpr size_t kMaxSuspects = 5;

struct Suspect {
  std::string service;
  // So many of the services that alert are this one or need it.
  size_t explains = 0;
  // For people: "alerts itself; 5 of the 6 services that alert need it: api, web, ...".
  std::string reason;
};

// A service explains the alerting services that are it or need it, directly or through others. Suspected are
// - alerting services: the deepest one explains the most;
// - silent ones that explain more (at least two) than any alerting service which they explain.
// The order: who explains more; an alerting one before a silent one; the nearer to those that it explains; by name.
// At most kMaxSuspects; none for fewer than two alerting services: their alerts say it all. A function of the set
// alone: the order in which alerts came changes nothing.
std::vector<Suspect> Suspects(const DependencyGraph& graph, const std::set<int>& alerting);

}  // namespace omnix
