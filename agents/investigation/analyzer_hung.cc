// service.hung: it listens, and nothing comes back, while all that it needs answers. A stopped process is seen in the
// process table; else its silence on every path is what tells it from a slow endpoint.
#include <algorithm>

#include "agents/investigation/analyzer.h"
#include "agents/investigation/probe_processes.h"
#include "agents/investigation/symptoms_of.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr double kStopped = 0.95;
constexpr double kSpinning = 0.88;
constexpr double kSilent = 0.8;
// Something that it needs is as silent.
constexpr double kMaybeWaiting = 0.35;
constexpr double kBusyShare = 0.8;
constexpr size_t kMaxAsked = 3;

// Whether nothing at this base answers, whatever it is asked; an answer of any status is life.
bool AnswersNothing(Scene* scene, const v1::Service& service, const std::string& base, v1::Hypothesis* h) {
  std::vector<std::string> paths = {"/"};
  for (const v1::Endpoint& endpoint : service.endpoints()) {
    const bool plain = endpoint.path().find('{') == std::string::npos && !endpoint.websocket();
    const bool reads = endpoint.method().empty() || endpoint.method() == "GET";
    if (plain && reads && paths.size() < kMaxAsked && endpoint.path() != "/")
      paths.insert(paths.begin(), endpoint.path());
  }
  const bool alive = std::any_of(scene->results.begin(), scene->results.end(), [&](const v1::CheckResult& result) {
    const auto url = result.attributes().find("url");
    return StatusOf(result) > 0 && url != result.attributes().end() && url->second.starts_with(base + "/");
  });
  if (alive) return false;
  std::vector<Prober::Question> questions;
  for (const std::string& path : paths) questions.push_back({service.name(), base + path, "", false});
  // All at once: those that are late cost the time of one.
  scene->prober.AskAll(questions);
  for (const std::string& path : paths) {
    const Answer& answer = scene->prober.Ask({service.name(), base + path, "", false});
    if (answer.status > 0 || answer.refused) return false;
    if (!answer.timed_out) continue;
    h->add_evidence_for(answer.evidence);
  }
  return h->evidence_for_size() > 0;
}

bool HasStopped(const ProcessFacts* facts) {
  return facts != nullptr && !facts->processes.empty() &&
         std::all_of(facts->processes.begin(), facts->processes.end(),
                     [](const RunningProcess& p) { return p.stopped(); });
}

// Names of those it needs that are stopped, don't listen, or don't answer.
std::string SickNeed(const Scene& scene, const v1::Service& service) {
  for (const std::string& name : service.depends_on()) {
    const v1::Service* needed = scene.FindService(name);
    if (needed == nullptr) continue;
    const ProcessFacts* facts = ProcessOf(scene, *needed);
    if (HasStopped(facts) || (facts != nullptr && !facts->listens)) return name;
    for (const auto& [id, result] : scene.symptom_results) {
      if (result.service() == name && AttributeOf(result, "error") == "timeout") return name;
    }
  }
  return "";
}

std::string RestartCommand(const v1::Service& service) {
  for (const char* name : {"restart", "start"}) {
    if (service.commands().count(name) > 0) return name;
  }
  return "";
}

void Conclude(Scene* scene, const v1::Service& service, const ProcessFacts* facts, v1::Hypothesis h,
              std::vector<Candidate>* candidates) {
  const std::string name = facts == nullptr ? service.name() : facts->name;
  h.set_kind("service.hung");
  h.set_component(service.name());
  for (const std::string& id : SymptomsBehind(*scene, service)) h.add_symptom_ids(id);
  const bool stopped = HasStopped(facts);
  const bool spins = facts != nullptr && facts->cpu >= kBusyShare;
  const std::string sick = stopped ? "" : SickNeed(*scene, service);
  std::string why;
  if (stopped) {
    why =
        fmt::format("its process {} is stopped (state T): the kernel takes connections for it, and nobody serves them",
                    facts->processes[0].pid);
  } else if (spins) {
    why = fmt::format("its process {} uses {:.0f} % of a core and answers nothing: it runs in circles",
                      facts->processes[0].pid, facts->cpu * 100);
  } else {
    why = "it accepts connections and answers none, whatever the path";
    if (facts != nullptr && facts->waiting > 0)
      why = fmt::format("{} connections wait, and it accepts none", facts->waiting);
  }
  h.set_title(fmt::format("{} hangs: {}", name, why));
  h.set_explanation(fmt::format(
      "{} listens, but {}. {}", name, why,
      sick.empty() ? "What it needs is well, so it does not wait for another." : "It may only wait for " + sick + "."));
  if (facts != nullptr) h.add_evidence_for(facts->evidence);
  v1::Counterfactual* test = h.add_tests();
  test->set_description(stopped ? "the process table shows it stopped"
                                : "asked straight, it gives no answer of any status");
  test->set_agrees(true);
  for (const std::string& id : h.evidence_for()) test->add_evidence_ids(id);
  if (h.symptom_ids_size() == 0)
    h.add_symptom_ids(scene->AddSymptom(service.name(), "process", h.title(), h.evidence_for(0)));
  if (const std::string command = RestartCommand(service); !command.empty()) {
    v1::Remedy remedy = MakeRemedy("restart", fmt::format("Run {}.{}", service.name(), command), "process",
                                   {RunCommand(service, command)});
    remedy.set_symptom_only(!stopped);
    *h.add_remedies() = remedy;
  }
  h.set_confidence(stopped ? kStopped : !sick.empty() ? kMaybeWaiting : spins ? kSpinning : kSilent);
  h.set_status(sick.empty() ? v1::HYPOTHESIS_STATUS_SUPPORTED : v1::HYPOTHESIS_STATUS_PROPOSED);
  candidates->push_back({std::move(h), {}});
}

bool FailsLate(const Scene& scene, const v1::Service& service) {
  return std::any_of(scene.symptom_results.begin(), scene.symptom_results.end(), [&](const auto& entry) {
    const v1::CheckResult& result = entry.second;
    const bool through =
        result.service() == service.name() || Needs(scene.input.system, result.service(), service.name());
    return through && (StatusOf(result) >= 500 || !AttributeOf(result, "error").empty());
  });
}

}  // namespace

void AnalyzeHung(Scene* scene, std::vector<Candidate>* candidates) {
  for (const v1::Service& service : scene->input.system.services()) {
    if (const ProcessFacts* facts = ProcessOf(*scene, service); HasStopped(facts)) {
      Conclude(scene, service, facts, {}, candidates);
      continue;
    }
    bool copy_stopped = false;
    for (const v1::Instance& instance : service.instances()) {
      const ProcessFacts* facts = ProcessOf(*scene, service, &instance);
      if (HasStopped(facts)) {
        Conclude(scene, service, facts, {}, candidates);
        copy_stopped = true;
      }
    }
    if (copy_stopped || !FailsLate(*scene, service)) continue;
    v1::Hypothesis h;
    if (!service.base_url().empty() && service.instances().empty() &&
        AnswersNothing(scene, service, service.base_url(), &h)) {
      Conclude(scene, service, ProcessOf(*scene, service), std::move(h), candidates);
    }
    for (const v1::Instance& instance : service.instances()) {
      v1::Hypothesis of_copy;
      if (AnswersNothing(scene, service, instance.base_url(), &of_copy))
        Conclude(scene, service, ProcessOf(*scene, service, &instance), std::move(of_copy), candidates);
    }
  }
}

}  // namespace omnix
