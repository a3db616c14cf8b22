// dns.failure at a gateway: what fails goes to an upstream whose name has no address, by the name server that the
// gateway's own configuration has it ask, or by this machine's resolver.
#include <algorithm>
#include <map>

#include "agents/investigation/analyzer.h"
#include "agents/investigation/gateway_request.h"
#include "agents/investigation/name_lookup.h"
#include "agents/investigation/symptoms_of.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr int kFirstServerError = 500;
constexpr double kUnknownName = 0.9;
constexpr double kNoNameServer = 0.88;
constexpr size_t kMaxNames = 4;

std::string HostOf(const std::string& address) {
  return address.substr(0, address.ends_with(']') ? std::string::npos : address.rfind(':'));
}

// Where the upstream's name is written; null: nowhere as it is.
const NginxWord* PlaceOf(const NginxConfig& config, const std::string& name) {
  const auto holds = [&](const NginxWord& word) { return word.text.find(name) != std::string::npos; };
  const NginxDirective* found = FindDirective(config, [&](const NginxDirective& directive) {
    const bool target =
        directive.name().ends_with("_pass") || directive.name() == "server" || directive.name() == "set";
    return target && std::any_of(directive.words.begin() + 1, directive.words.end(), holds);
  });
  return found == nullptr ? nullptr : &*std::find_if(found->words.begin() + 1, found->words.end(), holds);
}

v1::Hypothesis Make(Scene* scene, const GatewayRequest& request, const std::string& name,
                    const NginxDirective* resolver, const NameAnswer& answer) {
  const std::string& gateway = request.gateway->name();
  const bool no_server = resolver != nullptr && answer.state == NameState::kNoAnswer;
  v1::Hypothesis h;
  h.set_kind("dns.failure");
  h.set_component(gateway);
  const NginxWord* written = PlaceOf(*request.nginx->config, name);
  if (no_server) {
    *h.mutable_location() = resolver->words[0].location;
  } else if (written != nullptr) {
    *h.mutable_location() = written->location;
  }
  h.set_title(no_server ? fmt::format("{} asks a name server that does not answer: {}", gateway, resolver->Argument(1))
                        : fmt::format("{} cannot resolve a name: {}", gateway, name));
  h.set_explanation(fmt::format("What fails goes to {}. Asked now: {}.", request.route.upstream, answer.told));
  const std::string evidence = scene->book.Add(MakeEvidence("dns", gateway, answer.told, "", h.location()));
  h.add_evidence_for(evidence);
  v1::Counterfactual* test = h.add_tests();
  test->set_description(answer.told);
  test->set_agrees(true);
  test->add_evidence_ids(evidence);
  h.set_confidence(no_server ? kNoNameServer : kUnknownName);
  h.set_status(v1::HYPOTHESIS_STATUS_SUPPORTED);
  AddRevert(*scene, *request.gateway, &h);
  return h;
}

}  // namespace

void AnalyzeNames(Scene* scene, std::vector<Candidate>* candidates) {
  const auto failed = [](const v1::CheckResult& result) { return StatusOf(result) >= kFirstServerError; };
  std::map<std::pair<const v1::Service*, std::string>, v1::Hypothesis> found;
  for (const GatewayRequest& request : GatewayRequests(*scene, failed)) {
    for (const std::string& address : request.route.addresses) {
      const std::string name = HostOf(address);
      // One of several servers that has an address still serves.
      if (!NeedsResolver(name) || request.route.addresses.size() > 1) continue;
      const auto key = std::make_pair(request.gateway, name);
      if (!found.contains(key) && found.size() < kMaxNames) {
        const NginxDirective* resolver = EffectiveDirective(request, "resolver");
        const NameAnswer answer = resolver == nullptr ? ResolveHere(name) : AskNameServer(resolver->Argument(1), name);
        found[key] =
            answer.state == NameState::kKnown ? v1::Hypothesis() : Make(scene, request, name, resolver, answer);
      }
      if (found.contains(key)) found[key].add_symptom_ids(request.symptom);
    }
  }
  for (auto& [key, hypothesis] : found) {
    if (!hypothesis.kind().empty()) candidates->push_back({std::move(hypothesis), {}});
  }
}

}  // namespace omnix
