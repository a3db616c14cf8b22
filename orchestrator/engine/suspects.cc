#include "orchestrator/engine/suspects.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace omnix {
namespace {

// Services named in a reason; further ones are counted.
constexpr size_t kMaxNamed = 5;

struct Candidate {
  int service = 0;
  bool alerting = false;
  // The alerting services that are it or need it.
  std::vector<int> explains;
  int distance = 0;
};

std::string ReasonOf(const DependencyGraph& graph, const Candidate& candidate, size_t alerting) {
  std::vector<std::string> names;
  size_t need_it = 0;
  for (const int service : candidate.explains) {
    if (service == candidate.service) continue;
    ++need_it;
    if (names.size() < kMaxNamed) names.push_back(graph.NameOf(service));
  }
  const std::string itself = candidate.alerting ? "alerts itself" : "does not alert itself";
  if (need_it == 0) return itself;
  const std::string more = need_it > names.size() ? fmt::format(" and {} more", need_it - names.size()) : "";
  return fmt::format("{}; {} of the {} services that alert need it: {}{}", itself, need_it, alerting,
                     fmt::join(names, ", "), more);
}

}  // namespace

std::vector<Suspect> Suspects(const DependencyGraph& graph, const std::set<int>& alerting) {
  if (alerting.size() < 2) return {};
  std::map<int, Candidate> candidates;
  for (const int service : alerting) {
    for (const auto& need : graph.NeedsOf(service)) {
      Candidate& candidate = candidates[need.service];
      candidate.service = need.service;
      candidate.alerting = alerting.contains(need.service);
      candidate.explains.push_back(service);
      candidate.distance += need.distance;
    }
  }
  std::vector<const Candidate*> suspected;
  for (const auto& entry : candidates) {
    const Candidate& candidate = entry.second;
    const bool says_more =
        candidate.explains.size() > 1 && std::ranges::none_of(candidate.explains, [&](int explained) {
          return candidates.at(explained).explains.size() >= candidate.explains.size();
        });
    if (candidate.alerting || says_more) suspected.push_back(&candidate);
  }
  std::ranges::sort(suspected, [](const Candidate* a, const Candidate* b) {
    const auto order = [](const Candidate& c) {
      return std::tuple(-static_cast<int64_t>(c.explains.size()), !c.alerting, c.distance, c.service);
    };
    return order(*a) < order(*b);
  });
  std::vector<Suspect> suspects;
  for (size_t i = 0; i < std::min(kMaxSuspects, suspected.size()); ++i) {
    suspects.push_back({graph.NameOf(suspected[i]->service), suspected[i]->explains.size(),
                        ReasonOf(graph, *suspected[i], alerting.size())});
  }
  return suspects;
}

}  // namespace omnix
