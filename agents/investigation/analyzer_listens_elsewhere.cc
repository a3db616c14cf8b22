// config.wrong_value of a service's own address: its process runs and listens, elsewhere than its callers look.
#include <algorithm>

#include "agents/investigation/analyzer.h"
#include "agents/investigation/probe_config.h"
#include "agents/investigation/probe_processes.h"
#include "agents/investigation/symptoms_of.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr double kNamedByFile = 0.92;
constexpr double kNotNamed = 0.6;
// Of process.down, where the process is there.
constexpr double kNotDown = 0.2;

std::string PortOf(const std::string& address) { return address.substr(address.rfind(':') + 1); }

// Where its processes listen, at no address of the model; "" where nowhere.
std::string Elsewhere(const Scene& scene, const ProcessFacts& facts) {
  for (const auto& [port, listener] : ReadListeners()) {
    const bool own = std::any_of(facts.processes.begin(), facts.processes.end(), [&](const RunningProcess& p) {
      return std::find(listener.pids.begin(), listener.pids.end(), p.pid) != listener.pids.end();
    });
    if (own && scene.ServiceAt(listener.address) == nullptr) return AddressOf(listener.address);
  }
  return "";
}

void Judge(Scene* scene, const ProcessFacts& facts, std::vector<Candidate>* candidates) {
  const std::string found = Elsewhere(*scene, facts);
  if (found.empty()) return;
  const std::string& declared = facts.addresses[0];
  v1::Hypothesis h;
  h.set_kind("config.wrong_value");
  h.set_component(facts.service->name());
  h.set_title(fmt::format("{} listens on {}, and is looked for at {}", facts.name, found, declared));
  h.set_explanation(fmt::format("The process of {} runs and listens on {}; its callers go to {}, where nobody is.",
                                facts.name, found, declared));
  h.add_evidence_for(facts.evidence);
  h.set_confidence(kNotNamed);
  for (const std::string& id : SymptomsBehind(*scene, *facts.service)) h.add_symptom_ids(id);
  for (const ConfigFacts* file : ConfigsOf(*scene, *facts.service, facts.instance)) {
    for (const ConfigValue& value : file->config.values) {
      const bool port = value.value == PortOf(found) || value.value.ends_with(":" + PortOf(found));
      if (!port || h.has_location()) continue;
      *h.mutable_location() = value.location;
      h.add_evidence_for(file->evidence);
      h.set_confidence(kNamedByFile);
      const std::string right = value.value.substr(0, value.value.size() - PortOf(found).size()) + PortOf(declared);
      if (v1::Action action = SetValue(*file, value, right); !action.kind().empty())
        *h.add_remedies() = MakeRemedy("port", fmt::format("Listen on {}", declared), "configuration", {action});
    }
  }
  v1::Counterfactual* test = h.add_tests();
  test->set_description(fmt::format("its process listens on {} and not on {}", found, declared));
  test->set_agrees(true);
  test->add_evidence_ids(facts.evidence);
  h.set_status(v1::HYPOTHESIS_STATUS_SUPPORTED);
  for (Candidate& candidate : *candidates) {
    v1::Hypothesis& other = candidate.hypothesis;
    if (other.component() != h.component() || other.kind() != "service.process_down") continue;
    other.set_confidence(kNotDown);
    other.add_evidence_against(facts.evidence);
  }
  candidates->push_back({std::move(h), {}});
}

}  // namespace

void AnalyzeListensElsewhere(Scene* scene, std::vector<Candidate>* candidates) {
  for (const ProcessFacts* facts : scene->facts.All<ProcessFacts>()) {
    if (!facts->listens && !facts->processes.empty()) Judge(scene, *facts, candidates);
  }
}

}  // namespace omnix
