#include "orchestrator/engine/grouping.h"

#include <deque>

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

}  // namespace

ServiceGroups::ServiceGroups(const v1::SystemModel& system) {
  const Graph graph = Neighbours(system);
  int group = 0;
  for (const auto& [start, unused] : graph) {
    if (groups_.contains(start)) continue;
    std::deque<std::string> next = {start};
    while (!next.empty()) {
      const std::string name = next.front();
      next.pop_front();
      if (!groups_.emplace(name, group).second) continue;
      for (const auto& neighbour : graph.at(name)) next.push_back(neighbour);
    }
    ++group;
  }
}

int ServiceGroups::Of(const std::string& name) const {
  const auto found = groups_.find(name);
  return found == groups_.end() ? kNone : found->second;
}

void JoinIndex::Index(const std::string& incident_id, const Incident& incident, int group) {
  auto& ids = taking_[incident.groups][group];
  if (incident.taking) {
    ids.insert(incident_id);
  } else {
    ids.erase(incident_id);
  }
}

void JoinIndex::Add(const std::string& incident_id, const ServiceGroups& groups, const std::string& subject) {
  const int group = groups.Of(subject);
  if (group == ServiceGroups::kNone) return;
  Incident& incident = incidents_[incident_id];
  incident.groups = &groups;
  if (incident.of_alerts.insert(group).second) Index(incident_id, incident, group);
}

void JoinIndex::SetTaking(const std::string& incident_id, bool taking) {
  const auto found = incidents_.find(incident_id);
  if (found == incidents_.end() || found->second.taking == taking) return;
  found->second.taking = taking;
  for (const int group : found->second.of_alerts) Index(incident_id, found->second, group);
}

void JoinIndex::Remove(const std::string& incident_id) {
  SetTaking(incident_id, false);
  incidents_.erase(incident_id);
}

void JoinIndex::Clear() {
  incidents_.clear();
  taking_.clear();
}

std::string JoinIndex::Find(const std::string& subject) const {
  std::string first;
  for (const auto& [groups, by_group] : taking_) {
    const auto found = by_group.find(groups->Of(subject));
    if (found == by_group.end() || found->second.empty()) continue;
    const std::string& id = *found->second.begin();
    if (first.empty() || id < first) first = id;
  }
  return first;
}

}  // namespace omnix
