#include "agents/investigation/diagnose.h"

#include <algorithm>
#include <set>

#include "agents/investigation/explain.h"
#include "common/status.h"
#include "common/time.h"

namespace omnix {

absl::StatusOr<v1::Diagnosis> Diagnose(const Case& investigation) {
  EvidenceBook book(investigation);
  Prober prober(investigation, &book);
  Scene scene{investigation, book, prober, {}, {}, {}, {}, {}, {}, {}};
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
  }
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
