// service.process_down: nobody listens where the model says that the service does, or its systemd unit is down. What
// systemd knows of the end is told with it: a stop that somebody asked for is no crash.
#include <algorithm>

#include "absl/strings/str_join.h"
#include "agents/checks/socket.h"
#include "agents/investigation/analyzer.h"
#include "agents/investigation/log_source.h"
#include "agents/investigation/probe_units.h"
#include "agents/investigation/symptoms_of.h"
#include "common/unit_name.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr absl::Duration kConnectTimeout = absl::Seconds(2);

std::string AddressOfService(const v1::Service& service) {
  if (!service.base_url().empty()) return AddressOf(service.base_url());
  return service.listen_size() > 0 ? AddressOf(service.listen(0)) : "";
}

// A command that brings the service up.
std::string StartCommand(const v1::Service& service) {
  for (const char* name : {"start", "restart"}) {
    if (service.commands().count(name) > 0) return name;
  }
  return "";
}

void AddStart(const v1::Service& service, v1::Hypothesis* h) {
  const std::string command = StartCommand(service);
  if (command.empty()) {
    if (!service.unit().empty()) {
      h->set_explanation(fmt::format("{} The model allows no command that starts it; by hand: systemctl start {}",
                                     h->explanation(), FullUnitName(service.unit())));
    }
    return;
  }
  const std::string words = absl::StrJoin(service.commands().at(command).argv(), " ");
  v1::Remedy remedy = MakeRemedy("start", fmt::format("Run {}.{}: {}", service.name(), command, words), "process",
                                 {RunCommand(service, command)});
  remedy.set_symptom_only(true);
  *h->add_remedies() = remedy;
}

// Title, explanation and evidence of the end that its unit stands at; nothing where systemd says that it is up.
void TellUnit(const UnitFacts* unit, v1::Hypothesis* h) {
  if (unit == nullptr || (unit->state && unit->state->IsUp())) return;
  h->add_evidence_for(unit->evidence);
  const UnitEnd* end = unit->StandingEnd();
  if (end == nullptr) return;
  h->set_title(fmt::format("{}: it {}", h->title(), DescribeWithTime(*end)));
  std::string told = fmt::format("{} Its unit {} {}.", h->explanation(), unit->unit, DescribeWithTime(*end));
  if (end->asked) told += " It did not crash: it (or what it is bound to) was told to stop, and nobody started it.";
  // Where systemd does not count the kills of the OOM killer (cgroup v1), they look like this.
  const bool perhaps_oom = end->IsCrash() && end->status == "9/KILL" && unit->state && unit->state->memory_max;
  if (perhaps_oom && !end->oom) told += " Its memory is limited (MemoryMax): the kernel's log tells of the OOM killer.";
  if (end->gave_up) told += fmt::format(" `systemctl reset-failed {}` lets it be started again.", unit->unit);
  h->set_explanation(told);
}

// Whether a check waited there in vain: then it is not refused, and would only cost as long again.
bool IsKnownSilent(const Scene& scene, const std::string& address) {
  return std::any_of(scene.results.begin(), scene.results.end(), [&](const v1::CheckResult& result) {
    const bool there =
        AddressOf(AttributeOf(result, "address")) == address || AddressOf(AttributeOf(result, "url")) == address;
    return there && AttributeOf(result, "error") == "timeout";
  });
}

std::string ComponentOf(const Scene& scene, const std::string& symptom) {
  const auto found = std::find_if(scene.symptoms.begin(), scene.symptoms.end(),
                                  [&](const v1::Symptom& s) { return s.id() == symptom; });
  return found == scene.symptoms.end() ? "" : found->component();
}

// `name`: the service's, or "service/instance".
void JudgeAddress(Scene* scene, const v1::Service& service, const std::string& name, const std::string& address,
                  std::vector<Candidate>* candidates) {
  if (address.empty()) return;
  if (IsKnownSilent(*scene, address)) return;
  const absl::Status connected = TryConnect(address, kConnectTimeout);
  if (connected.ok() || !absl::IsUnavailable(connected)) return;
  v1::Hypothesis h;
  h.set_kind("service.process_down");
  h.set_component(service.name());
  h.set_title(fmt::format("{} does not listen on {}", name, address));
  const std::string evidence = scene->book.Add(
      MakeEvidence("tcp", service.name(), fmt::format("{}: {}", address, std::string(connected.message()))));
  h.add_evidence_for(evidence);
  for (const std::string& id : SymptomsBehind(*scene, service)) h.add_symptom_ids(id);
  if (h.symptom_ids_size() == 0) h.add_symptom_ids(scene->AddSymptom(service.name(), "tcp", h.title(), evidence));
  h.set_explanation(
      fmt::format("Connections to {} are refused: the process of {} is not running, or listens elsewhere. {} "
                  "symptoms come from there; the routes to it are not the cause.",
                  address, service.name(), h.symptom_ids_size()));
  v1::Counterfactual* test = h.add_tests();
  test->set_description(fmt::format("a connection straight to {} is refused as well", address));
  test->set_agrees(true);
  test->add_evidence_ids(evidence);
  // The unit of several copies is none of them by itself.
  if (service.instances().empty()) TellUnit(UnitOf(*scene, service), &h);
  AddStart(service, &h);
  h.set_confidence(0.9);
  h.set_status(v1::HYPOTHESIS_STATUS_SUPPORTED);
  candidates->push_back({h, {}});
}

// A service that listens nowhere: only systemd knows that it is down. A failure is a symptom by itself; a stop that was
// asked for is told where something suffers from it.
void JudgeUnit(Scene* scene, const v1::Service& service, std::vector<Candidate>* candidates) {
  const UnitFacts* unit = UnitOf(*scene, service);
  const UnitEnd* end = unit == nullptr ? nullptr : unit->StandingEnd();
  if (end == nullptr || (!end->IsCrash() && !end->asked && !end->signalled)) return;
  v1::Hypothesis h;
  h.set_kind("service.process_down");
  h.set_component(service.name());
  h.set_title(fmt::format("{} does not run", service.name()));
  h.set_explanation(fmt::format("{} is down.", service.name()));
  // What began later than it was down has another cause.
  const bool old = end->time < LogWindowBegin(scene->input);
  for (const std::string& id : SymptomsBehind(*scene, service)) {
    if (!old || ComponentOf(*scene, id) == service.name()) h.add_symptom_ids(id);
  }
  if (h.symptom_ids_size() == 0 && !end->IsCrash()) return;
  TellUnit(unit, &h);
  if (h.symptom_ids_size() == 0)
    h.add_symptom_ids(scene->AddSymptom(service.name(), "systemd", h.title(), unit->evidence));
  v1::Counterfactual* test = h.add_tests();
  test->set_description(fmt::format("systemd: {} {}", unit->unit, DescribeWithTime(*end)));
  test->set_agrees(true);
  test->add_evidence_ids(unit->evidence);
  AddStart(service, &h);
  h.set_confidence(0.9);
  h.set_status(v1::HYPOTHESIS_STATUS_SUPPORTED);
  candidates->push_back({h, {}});
}

}  // namespace

void AnalyzeProcessDown(Scene* scene, std::vector<Candidate>* candidates) {
  for (const v1::Service& service : scene->input.system.services()) {
    std::vector<std::pair<std::string, std::string>> wanted = {{service.name(), AddressOfService(service)}};
    for (const v1::Instance& instance : service.instances())
      wanted.emplace_back(service.name() + "/" + instance.name(), AddressOf(instance.base_url()));
    for (const auto& [name, address] : wanted) JudgeAddress(scene, service, name, address, candidates);
    if (wanted.size() == 1 && wanted[0].second.empty()) JudgeUnit(scene, service, candidates);
  }
}

}  // namespace omnix
