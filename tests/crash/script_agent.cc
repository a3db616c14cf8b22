// An agent on the real SDK whose tasks are cheap: it "finds" the cause that the file of the service's name asks for,
// and validates by reading the file that the recovery changed.
#include <fstream>
#include <sstream>

#include "agents/sdk/agent.h"
#include "common/status.h"

namespace omnix {
namespace {

absl::StatusOr<std::string> ConfigPath(const Json& input) {
  for (const Json& service : input.at("system").at("services")) {
    if (service.at("name") == input.at("service")) return service.at("config_files").at(0).at("path");
  }
  return NotFound("no service {}", input.at("service").dump());
}

v1::Action MakeAction(const std::string& id, const std::string& kind, const std::string& service, const Json& with) {
  v1::Action action;
  action.set_id(id);
  action.set_kind(kind);
  action.set_component(service);
  *action.mutable_with() = JsonToStruct(with);
  return action;
}

// Explanations in the order in which they are to be tried: `modes` is what each writes; a mode "good+notify" runs a
// command beside it that must never run twice.
absl::StatusOr<v1::Product> Diagnose(TaskContext& context) {
  const std::string service = context.input().at("service");
  OMNIX_ASSIGN_OR_RETURN(const std::string path, ConfigPath(context.input()));
  v1::Evidence evidence;
  evidence.set_id("e1");
  evidence.set_source("script");
  evidence.set_component(service);
  evidence.set_summary("mode is old");
  context.Report(evidence);

  std::vector<std::string> modes = {"good"};
  if (service == "asked" || service == "cancelled") modes = {"good+notify"};
  if (service == "invalid") modes = {"bad", "good"};
  if (service == "failing") modes = {"broken", "good"};
  v1::Product product;
  v1::Diagnosis& diagnosis = *product.mutable_diagnosis();
  diagnosis.set_summary(service + " has the wrong mode");
  for (size_t i = 0; i < modes.size(); ++i) {
    const std::string number = std::to_string(i + 1);
    const bool notify = modes[i].ends_with("+notify");
    const std::string mode = modes[i].substr(0, modes[i].find('+'));
    v1::Hypothesis& hypothesis = *diagnosis.add_hypotheses();
    hypothesis.set_id("h" + number);
    hypothesis.set_component(service);
    hypothesis.set_confidence(0.9);
    v1::Remedy& remedy = *hypothesis.add_remedies();
    remedy.set_id("r" + number);
    *remedy.add_actions() =
        MakeAction("a1", "file.replace_text", service, {{"path", path}, {"old", "old"}, {"new", mode}});
    if (notify)
      *remedy.add_actions() = MakeAction("a2", "command.run", service, {{"service", service}, {"command", "notify"}});
    v1::Explanation& explanation = *diagnosis.add_explanations();
    explanation.set_id("x" + number);
    explanation.set_summary("mode must be " + mode);
    v1::Cause& cause = *explanation.add_causes();
    cause.set_hypothesis_id(hypothesis.id());
    cause.set_remedy_id(remedy.id());
  }
  return product;
}

absl::StatusOr<v1::Product> Validate(TaskContext& context) {
  OMNIX_ASSIGN_OR_RETURN(const std::string path, ConfigPath(context.input()));
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  v1::Product product;
  product.mutable_verdict()->set_passed(text.str() == "mode=good\n");
  product.mutable_verdict()->set_summary("the file says " + text.str());
  return product;
}

}  // namespace
}  // namespace omnix

int main(int argc, char** argv) {
  omnix::AgentMain agent("script", "Cheap tasks for the crash tests.");
  return agent.Run(argc, argv, [](omnix::Agent& a) {
    a.Offer("script.diagnose", omnix::Diagnose);
    a.Offer("script.validate", omnix::Validate);
    return absl::OkStatus();
  });
}
