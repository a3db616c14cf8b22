// descriptors.exhausted: a process of the service has as many files and connections open as it may.
#include <algorithm>

#include "agents/investigation/analyzer.h"
#include "agents/investigation/log_signs.h"
#include "agents/investigation/probe_processes.h"
#include "agents/investigation/process_limits.h"
#include "agents/investigation/symptoms_of.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr double kFullShare = 0.98;
constexpr double kFullAndSaid = 0.9;
constexpr double kFull = 0.75;
constexpr double kWithoutSymptom = 0.3;

bool IsFull(const DescriptorUse& use) {
  return static_cast<double>(use.open) >= kFullShare * static_cast<double>(use.limit);
}

bool SaysSo(const Scene& scene, const v1::Service& service) {
  const auto signs = SignsOf(scene, service);
  return std::any_of(signs.begin(), signs.end(),
                     [](const LogSign* sign) { return sign->shape->kind == "descriptors.exhausted"; });
}

Candidate Judge(Scene* scene, const ProcessFacts& facts, const RunningProcess& process, const DescriptorUse& use) {
  const v1::Service& service = *facts.service;
  const std::string seen = fmt::format("{}: process {} ({}) has {} of {} file descriptors open", facts.name,
                                       process.pid, process.name, use.open, use.limit);
  Candidate candidate;
  v1::Hypothesis& h = candidate.hypothesis;
  h.set_kind("descriptors.exhausted");
  h.set_component(service.name());
  h.set_title(seen);
  h.set_explanation(seen +
                    ": it can take no connection and open no file until some are closed. Either it does not "
                    "close what it opens, or its limit (ulimit -n, LimitNOFILE) is too low for its load.");
  h.set_status(v1::HYPOTHESIS_STATUS_SUPPORTED);
  v1::Counterfactual* test = h.add_tests();
  test->set_description(seen);
  test->set_agrees(true);
  h.add_evidence_for(scene->book.Add(MakeEvidence("process_limits", service.name(), seen)));
  *test->add_evidence_ids() = h.evidence_for(0);
  for (const std::string& id : SymptomsBehind(*scene, service)) h.add_symptom_ids(id);
  h.set_confidence(h.symptom_ids().empty() ? kWithoutSymptom : SaysSo(*scene, service) ? kFullAndSaid : kFull);
  return candidate;
}

}  // namespace

void AnalyzeDescriptors(Scene* scene, std::vector<Candidate>* candidates) {
  for (const ProcessFacts* facts : scene->facts.All<ProcessFacts>()) {
    for (const RunningProcess& process : facts->processes) {
      const auto use = ReadDescriptorUse(process.pid);
      if (!use || use->limit == 0 || !IsFull(*use)) continue;
      candidates->push_back(Judge(scene, *facts, process, *use));
      break;
    }
  }
}

}  // namespace omnix
