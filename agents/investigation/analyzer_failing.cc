// component.failing: no analyzer knows the fault, yet the graph tells where to look: a failing component whose own
// needs are all well is where the trouble begins. A pointer for people, never certain enough to change something.
#include <algorithm>

#include "agents/investigation/analyzer.h"
#include "agents/investigation/probe_log_changes.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr double kByGraph = 0.2;
// Its log has errors that normal time does not know.
constexpr double kByGraphAndLog = 0.27;
constexpr double kExplained = 0.5;

using Ids = std::set<std::string>;

std::vector<std::string> NeedsOf(const v1::SystemModel& system, const std::string& component) {
  for (const v1::Service& service : system.services()) {
    if (service.name() == component) return {service.depends_on().begin(), service.depends_on().end()};
  }
  for (const v1::Client& client : system.clients()) {
    if (client.name() == component) return {client.service()};
  }
  return {};
}

// The failing components that this one's failure may come from, deepest only; itself where all it needs is well.
void Origins(const v1::SystemModel& system, const Ids& failing, const std::string& component, Ids* seen, Ids* origins) {
  if (!seen->insert(component).second) return;
  bool deeper = false;
  for (const std::string& needed : NeedsOf(system, component)) {
    if (!failing.contains(needed)) continue;
    deeper = true;
    Origins(system, failing, needed, seen, origins);
  }
  if (!deeper) origins->insert(component);
}

Ids Explained(const std::vector<Candidate>& candidates) {
  Ids ids;
  for (const Candidate& candidate : candidates) {
    const v1::Hypothesis& h = candidate.hypothesis;
    if (h.confidence() >= kExplained) ids.insert(h.symptom_ids().begin(), h.symptom_ids().end());
  }
  return ids;
}

Candidate Failing(const Scene& scene, const std::string& component, const Ids& symptoms) {
  v1::Hypothesis h;
  h.set_kind("component.failing");
  h.set_component(component);
  const std::string error = FirstLoggedError(scene, component);
  h.set_title(fmt::format("{} fails by itself, of an unknown cause", component));
  h.set_explanation(fmt::format("{} symptoms lead to {}, and what it needs itself shows no failure.{}", symptoms.size(),
                                component, error.empty() ? "" : " First new error in its log: " + error));
  for (const v1::Symptom& symptom : scene.symptoms) {
    if (!symptoms.contains(symptom.id())) continue;
    h.add_symptom_ids(symptom.id());
    for (const std::string& id : symptom.evidence_ids()) h.add_evidence_for(id);
  }
  for (const v1::Evidence& evidence : scene.book.all()) {
    if (!error.empty() && evidence.source() == kLogChanges && evidence.summary() == error)
      h.add_evidence_for(evidence.id());
  }
  h.set_confidence(error.empty() ? kByGraph : kByGraphAndLog);
  h.set_status(v1::HYPOTHESIS_STATUS_PROPOSED);
  return {h, {}};
}

}  // namespace

void AnalyzeFailing(Scene* scene, std::vector<Candidate>* candidates) {
  Ids failing;
  for (const v1::Symptom& symptom : scene->symptoms) failing.insert(symptom.component());
  for (const v1::Service& service : scene->input.system.services()) {
    if (!FirstLoggedError(*scene, service.name()).empty()) failing.insert(service.name());
  }
  const Ids explained = Explained(*candidates);
  std::map<std::string, Ids> by_origin;
  for (const v1::Symptom& symptom : scene->symptoms) {
    if (explained.contains(symptom.id()) || symptom.component().empty()) continue;
    Ids seen, origins;
    Origins(scene->input.system, failing, symptom.component(), &seen, &origins);
    for (const std::string& origin : origins) by_origin[origin].insert(symptom.id());
  }
  for (const auto& [component, symptoms] : by_origin) candidates->push_back(Failing(*scene, component, symptoms));
}

}  // namespace omnix
