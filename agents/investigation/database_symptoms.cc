#include "agents/investigation/database_symptoms.h"

#include "agents/investigation/symptoms_of.h"

namespace omnix {

const v1::Service* ComponentOf(const PostgresFacts& facts) {
  if (facts.store != nullptr) return facts.store;
  for (const PostgresLogin& login : facts.logins) {
    if (login.client != nullptr) return login.client;
  }
  return nullptr;
}

std::vector<const LogSign*> SignsAbout(const Scene& scene, const v1::Service& store, std::string_view kind) {
  std::vector<const LogSign*> signs;
  for (const LogSign* sign : scene.facts.All<LogSign>()) {
    const bool there = sign->service == &store || Needs(scene.input.system, sign->service->name(), store.name());
    if (there && sign->shape->kind == kind) signs.push_back(sign);
  }
  return signs;
}

Candidate SeenInDatabase(const Scene& scene, const PostgresFacts& facts, const v1::Service& component,
                         const std::string& kind, const std::string& seen) {
  Candidate candidate;
  v1::Hypothesis& h = candidate.hypothesis;
  h.set_kind(kind);
  h.set_component(component.name());
  h.set_status(v1::HYPOTHESIS_STATUS_SUPPORTED);
  v1::Counterfactual* test = h.add_tests();
  test->set_description(seen);
  test->set_agrees(true);
  if (!facts.evidence.empty()) {
    h.add_evidence_for(facts.evidence);
    test->add_evidence_ids(facts.evidence);
  }
  for (const std::string& id : SymptomsBehind(scene, component)) h.add_symptom_ids(id);
  for (const LogSign* sign : SignsAbout(scene, component, kind)) h.add_evidence_for(sign->evidence);
  return candidate;
}

}  // namespace omnix
