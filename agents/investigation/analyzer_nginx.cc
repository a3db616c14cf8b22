// nginx.syntax_error: the configuration on disk would not load.
#include <algorithm>

#include "agents/investigation/analyzer.h"
#include "fmt/format.h"

namespace omnix {
void AnalyzeNginxSyntax(Scene* scene, std::vector<Candidate>* candidates) {
  for (const NginxFacts& nginx : scene->nginx) {
    if (nginx.error.empty() || nginx.error.find("unexpected") == std::string::npos) continue;
    v1::Hypothesis h;
    h.set_kind("nginx.syntax_error");
    h.set_component(nginx.service->name());
    h.set_title(fmt::format("The configuration of {} does not load", nginx.service->name()));
    h.set_explanation(fmt::format("{}. A reload or restart fails with this file.", nginx.error));
    const std::string file = nginx.error.substr(0, nginx.error.find(':'));
    h.mutable_location()->set_file(file);
    h.mutable_location()->set_line(
        static_cast<uint32_t>(std::atoi(nginx.error.substr(std::min(file.size() + 1, nginx.error.size())).c_str())));
    h.add_evidence_for(nginx.evidence);
    for (const Change* change : scene->ChangesOf(file)) {
      if (!change->IsRevertible() || !MayEdit(*scene, *nginx.service, file)) continue;
      h.add_evidence_for(change->evidence);
      *h.add_remedies() = MakeRemedy("revert", fmt::format("Take back {}", change->Title()), "configuration",
                                     {GitRevert(nginx.service->name(), *change)});
    }
    for (const auto& [id, result] : scene->symptom_results) {
      if (result.kind() == "config_test" && result.service() == nginx.service->name()) h.add_symptom_ids(id);
    }
    if (h.symptom_ids_size() == 0)
      h.add_symptom_ids(scene->AddSymptom(nginx.service->name(), "nginx configuration", nginx.error, nginx.evidence));
    h.set_confidence(0.9);
    h.set_status(v1::HYPOTHESIS_STATUS_SUPPORTED);
    candidates->push_back({h, {}});
  }
}

}  // namespace omnix
