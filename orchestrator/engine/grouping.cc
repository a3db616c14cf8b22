#include "orchestrator/engine/grouping.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string>

namespace omnix {
namespace {

using Graph = std::map<std::string, std::set<std::string>>;

Graph Neighbours(const v1::SystemModel& system) {
  Graph graph;
  auto link = [&](const std::string& a, const std::string& b) {
    graph[a].insert(b);
    graph[b].insert(a);
  };
  for (const auto& service : system.services()) {
    graph[service.name()];
    for (const auto& needed : service.depends_on()) link(service.name(), needed);
  }
  for (const auto& client : system.clients()) link(client.name(), client.service());
  return graph;
}

std::set<std::string> ReachableFrom(const std::string& start, const Graph& graph) {
  std::set<std::string> seen;
  std::deque<std::string> next;
  if (graph.contains(start)) next.push_back(start);
  while (!next.empty()) {
    const std::string name = next.front();
    next.pop_front();
    if (!seen.insert(name).second) continue;
    for (const auto& neighbour : graph.at(name)) next.push_back(neighbour);
  }
  return seen;
}

}  // namespace

bool JoinsIncident(const v1::Alert& alert, const v1::Incident& incident, const v1::SystemModel& system) {
  if (alert.subject().empty()) return false;
  const std::set<std::string> related = ReachableFrom(alert.subject(), Neighbours(system));
  return std::any_of(incident.alerts().begin(), incident.alerts().end(),
                     [&](const v1::Alert& other) { return related.contains(other.subject()); });
}

}  // namespace omnix
