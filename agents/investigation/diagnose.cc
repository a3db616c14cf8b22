#include "agents/investigation/diagnose.h"

#include <algorithm>
#include <set>

#include "agents/investigation/explain.h"
#include "common/status.h"
#include "common/time.h"

namespace omnix {
namespace {

// Of `prior`, as the orchestrator gives it; what has another shape is left out.
std::vector<PriorCause> PriorCauses(const Json& input) {
  std::vector<PriorCause> causes;
  const auto prior = input.find("prior");
  if (prior == input.end() || !prior->is_array()) return causes;
  const auto text = [](const Json& from, const char* key) {
    const auto found = from.find(key);
    return found != from.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  for (const Json& incident : *prior) {
    const auto listed = incident.is_object() ? incident.find("causes") : incident.end();
    if (!incident.is_object() || listed == incident.end() || !listed->is_array()) continue;
    for (const Json& cause : *listed) {
      if (!cause.is_object()) continue;
      causes.push_back(
          {text(incident, "incident"), text(cause, "kind"), text(cause, "component"), text(cause, "file")});
    }
  }
  return causes;
}

}  // namespace

absl::StatusOr<v1::Diagnosis> Diagnose(const Case& investigation) {
  EvidenceBook book(investigation);
  HttpBroker http(investigation.system, {}, investigation.cancelled);
  Prober prober(investigation, &book, &http);
  Scene scene(investigation, &book, &http, &prober);
  Observe(&scene);
  if (investigation.cancelled()) return Cancelled("the investigation was stopped");
  std::vector<Candidate> candidates;
  for (const Analyzer analyzer : Analyzers()) {
    investigation.progress("looking for causes");
    analyzer(&scene, &candidates);
    if (investigation.cancelled()) return Cancelled("the investigation was stopped");
  }
  return Explain(scene, std::move(candidates));
}

absl::StatusOr<v1::Product> DiagnoseTask(TaskContext& context) {
  const Json& input = context.input();
  if (!input.is_object() || !input.contains("system"))
    return InvalidArgument("investigation.diagnose: the input has no `system`");
  Case investigation;
  OMNIX_RETURN_IF_ERROR(JsonToMessage(DumpJson(input["system"]), &investigation.system, "system"));
  investigation.now = absl::Now();
  investigation.started_at = investigation.now;
  if (const auto incident = input.find("incident"); incident != input.end() && incident->is_object()) {
    const std::string started = incident->value("started_at", std::string());
    if (const auto time = ParseTime(started); time.ok()) investigation.started_at = *time;
    if (const auto alerts = incident->find("alerts"); alerts != incident->end() && alerts->is_array()) {
      for (const Json& alert : *alerts) {
        if (alert.is_object()) investigation.reported.insert(alert.value("subject", std::string()));
      }
    }
  }
  investigation.prior = PriorCauses(input);
  if (const auto spent = input.find("spent"); spent != input.end() && spent->is_array()) {
    for (const Json& id : *spent) {
      if (id.is_string()) investigation.spent.push_back(id.get<std::string>());
    }
  }
  investigation.report = [&](const v1::Evidence& evidence) { context.Report(evidence); };
  investigation.progress = [&](const std::string& text) { context.Progress(text); };
  investigation.cancelled = [&] { return context.cancelled(); };
  investigation.remaining = [&] { return context.remaining(); };
  OMNIX_ASSIGN_OR_RETURN(v1::Diagnosis diagnosis, Diagnose(investigation));
  v1::Product product;
  *product.mutable_diagnosis() = std::move(diagnosis);
  return product;
}

}  // namespace omnix
