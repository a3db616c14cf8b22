// service.process_down: nobody listens where the model says that the service does.
#include <algorithm>

#include "agents/checks/socket.h"
#include "agents/investigation/analyzer.h"
#include "agents/investigation/symptoms_of.h"
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

// Whether a check waited there in vain: then it is not refused, and would only cost as long again.
bool IsKnownSilent(const Scene& scene, const std::string& address) {
  return std::any_of(scene.results.begin(), scene.results.end(), [&](const v1::CheckResult& result) {
    const bool there =
        AddressOf(AttributeOf(result, "address")) == address || AddressOf(AttributeOf(result, "url")) == address;
    return there && AttributeOf(result, "error") == "timeout";
  });
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
  if (const std::string command = StartCommand(service); !command.empty()) {
    v1::Remedy remedy = MakeRemedy("start", fmt::format("Run {}.{}", service.name(), command), "process",
                                   {RunCommand(service, command)});
    remedy.set_symptom_only(true);
    *h.add_remedies() = remedy;
  }
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
  }
}

}  // namespace omnix
