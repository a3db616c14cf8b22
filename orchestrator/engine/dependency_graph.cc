#include "orchestrator/engine/dependency_graph.h"

#include <deque>
#include <map>

namespace omnix {

DependencyGraph::DependencyGraph(const v1::SystemModel& system) {
  std::map<std::string, std::set<std::string>> direct;
  for (const auto& service : system.services()) {
    auto& needs = direct[service.name()];
    for (const auto& needed : service.depends_on()) {
      needs.insert(needed);
      direct[needed];
    }
  }
  for (const auto& client : system.clients()) {
    direct[client.name()].insert(client.service());
    direct[client.service()];
  }
  for (const auto& [name, needs] : direct) {
    numbers_.emplace(name, static_cast<int>(names_.size()));
    names_.push_back(name);
  }
  needs_.resize(names_.size());
  for (size_t start = 0; start < names_.size(); ++start) {
    std::map<int, int> distances = {{static_cast<int>(start), 0}};
    std::deque<int> next = {static_cast<int>(start)};
    while (!next.empty()) {
      const int service = next.front();
      next.pop_front();
      for (const auto& needed : direct.at(NameOf(service))) {
        const int number = numbers_.at(needed);
        if (distances.emplace(number, distances.at(service) + 1).second) next.push_back(number);
      }
    }
    for (const auto& [service, distance] : distances) needs_[start].push_back({service, distance});
  }
}

int DependencyGraph::Find(const std::string& name) const {
  const auto found = numbers_.find(name);
  return found == numbers_.end() ? kNone : found->second;
}

std::set<int> CommonCauses(const DependencyGraph& graph, const std::set<int>& alerting) {
  std::set<int> causes;
  bool first = true;
  for (const int service : alerting) {
    std::set<int> shared;
    for (const auto& need : graph.NeedsOf(service)) {
      if (first || causes.contains(need.service)) shared.insert(need.service);
    }
    first = false;
    if (shared.empty()) {
      causes.insert(service);
    } else {
      causes = std::move(shared);
    }
  }
  return causes;
}

}  // namespace omnix
