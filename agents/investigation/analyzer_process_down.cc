// service.process_down and upstream.stale_address: nobody listens where callers look.
#include <algorithm>

#include "agents/checks/socket.h"
#include "agents/checks/url.h"
#include "agents/investigation/analyzer.h"
#include "agents/investigation/gateway_request.h"
#include "agents/investigation/symptoms_of.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr absl::Duration kConnectTimeout = absl::Seconds(2);

std::string AddressOfService(const v1::Service& service) {
  if (!service.base_url().empty()) return AddressOf(service.base_url());
  return service.listen_size() > 0 ? AddressOf(service.listen(0)) : "";
}

absl::Status Connect(const std::string& address) {
  const auto parsed = ParseHostPort(address);
  return parsed.ok() ? TryConnect(*parsed, kConnectTimeout) : parsed.status();
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
  const absl::Status connected = Connect(address);
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

// The gateway sends to an address where nothing listens, while the service behind it listens at its declared one.
void AnalyzeUpstream(Scene* scene, std::vector<Candidate>* candidates) {
  for (const auto& [id, result] : scene->symptom_results) {
    const auto& attributes = result.attributes();
    const auto status = attributes.find("status");
    const auto url = attributes.find("url");
    if (url == attributes.end() || status == attributes.end() || (status->second != "502" && status->second != "504"))
      continue;
    const v1::Service* gateway = scene->ServiceAt(url->second);
    const NginxFacts* nginx = gateway == nullptr ? nullptr : scene->NginxOf(gateway);
    if (nginx == nullptr) continue;
    const NginxRoute route = RouteRequest(*nginx->config, nginx->port, nginx->host, PathOf(url->second));
    const bool known = std::any_of(route.addresses.begin(), route.addresses.end(), [&](const std::string& address) {
      return scene->ServiceAt(address) != nullptr || Connect(address).ok();
    });
    if (route.kind != NginxRoute::Kind::kProxy || route.addresses.empty() || known) continue;
    const std::string stale = route.addresses[0];
    const auto same = std::find_if(candidates->begin(), candidates->end(), [&](const Candidate& c) {
      return c.hypothesis.kind() == "upstream.stale_address" && c.hypothesis.title().find(stale) != std::string::npos;
    });
    if (same != candidates->end()) {
      same->hypothesis.add_symptom_ids(id);
      continue;
    }
    v1::Hypothesis h;
    h.set_kind("upstream.stale_address");
    h.set_component(gateway->name());
    h.add_symptom_ids(id);
    h.add_evidence_for(nginx->evidence);
    // Every place where the address is written.
    std::vector<const NginxDirective*> open = {&nginx->config->root};
    const NginxWord* place = nullptr;
    while (!open.empty()) {
      const NginxDirective* directive = open.back();
      open.pop_back();
      for (const NginxDirective& child : directive->block) {
        open.push_back(&child);
        const bool target = child.name() == "proxy_pass" || child.name() == "server";
        if (target && child.words.size() > 1 && child.Argument(1).find(stale) != std::string::npos)
          place = &child.words[1];
      }
    }
    if (place != nullptr) *h.mutable_location() = place->location;
    for (const std::string& name : gateway->depends_on()) {
      const v1::Service* needed = scene->FindService(name);
      const std::string address = needed == nullptr ? "" : AddressOfService(*needed);
      if (address.empty() || !Connect(address).ok()) continue;
      const std::string evidence =
          scene->book.Add(MakeEvidence("tcp", name, fmt::format("{} listens on {}", name, address)));
      h.add_evidence_for(evidence);
      v1::Counterfactual* test = h.add_tests();
      test->set_description(fmt::format("{} answers at {}, not at {}", name, address, stale));
      test->set_agrees(true);
      test->add_evidence_ids(evidence);
      // Of several stale addresses it is not known which stands for which.
      if (route.addresses.size() == 1 && place != nullptr && MayEdit(*scene, *gateway, place->location.file())) {
        *h.add_remedies() =
            MakeRemedy("address-" + name, fmt::format("Send to {} at {}", name, address), "gateway",
                       {ReplaceText(gateway->name(), place->location.file(), place->location.line(), stale, address,
                                    fmt::format("Send to {} in place of {}", address, stale))});
      }
    }
    if (route.addresses.size() > 1) AddRevert(*scene, *gateway, &h);
    h.set_title(fmt::format("{} sends to {}, where no declared service listens", gateway->name(), stale));
    h.set_explanation(
        fmt::format("{} is answered with {} because its upstream is {}. {}", PathOf(url->second), status->second, stale,
                    h.remedies_size() > 0 ? "The service behind it listens elsewhere, and is reachable there."
                                          : "No service of the model was found listening in its place."));
    h.set_confidence(h.remedies_size() == 1 ? 0.88 : h.remedies_size() > 1 || h.tests_size() > 0 ? 0.6 : 0.5);
    h.set_status(h.remedies_size() > 0 ? v1::HYPOTHESIS_STATUS_SUPPORTED : v1::HYPOTHESIS_STATUS_PROPOSED);
    candidates->push_back({h, {}});
  }
}

}  // namespace omnix
