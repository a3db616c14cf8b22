// upstream.stale_address: the gateway sends to an address where nobody listens, while the service behind it listens at
// its declared one. Where a server that is kept for such times answers in place of the upstream ("backup"), its answer
// is the symptom, not nginx' 502.
#include <algorithm>
#include <map>

#include "agents/checks/socket.h"
#include "agents/investigation/analyzer.h"
#include "agents/investigation/gateway_request.h"
#include "agents/investigation/symptoms_of.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr absl::Duration kConnectTimeout = absl::Seconds(2);
constexpr int kFirstServerError = 500;
constexpr double kOneInItsPlace = 0.88;
constexpr double kSeveralInItsPlace = 0.6;
constexpr double kNoneInItsPlace = 0.5;

// Requests that fail alike: through the same gateway to the same addresses.
struct FailingUpstream {
  const GatewayRequest* first = nullptr;
  std::vector<std::string> symptoms;
};

// Every server and target that the configuration names.
std::vector<const NginxWord*> TargetsOf(const NginxConfig& config) {
  std::vector<const NginxWord*> targets;
  FindDirective(config, [&](const NginxDirective& directive) {
    const bool target = directive.name() == "proxy_pass" || (directive.name() == "server" && !directive.has_block);
    if (target && directive.words.size() > 1) targets.push_back(&directive.words[1]);
    return false;
  });
  return targets;
}

// "127.0.0.1:90" is not in "127.0.0.1:9000".
bool Names(const NginxWord& target, const std::string& address) {
  const size_t at = target.text.find(address);
  if (at == std::string::npos) return false;
  const size_t end = at + address.size();
  return end == target.text.size() || std::isdigit(static_cast<unsigned char>(target.text[end])) == 0;
}

class UpstreamAnalysis {
 public:
  explicit UpstreamAnalysis(Scene* scene) : scene_(*scene) {}

  void Run(std::vector<Candidate>* candidates) {
    const std::vector<GatewayRequest> requests = GatewayRequests(
        scene_, [](const v1::CheckResult& result) { return StatusOf(result) >= kFirstServerError; },
        RequestMethods::kAll);
    std::map<std::pair<const v1::Service*, std::string>, FailingUpstream> upstreams;
    for (const GatewayRequest& request : requests) {
      const NginxRoute& route = request.route;
      if (route.kind != NginxRoute::Kind::kProxy || route.addresses.empty() || request.upstream != nullptr) continue;
      FailingUpstream& upstream = upstreams[{request.gateway, route.addresses[0]}];
      if (upstream.first == nullptr) upstream.first = &request;
      upstream.symptoms.push_back(request.symptom);
    }
    for (const auto& [key, upstream] : upstreams) {
      const auto& addresses = upstream.first->route.addresses;
      const bool listens =
          std::any_of(addresses.begin(), addresses.end(), [&](const std::string& address) { return Listens(address); });
      if (!listens) candidates->push_back(Propose(upstream));
    }
  }

 private:
  bool Listens(const std::string& address) {
    const auto known = listens_.find(address);
    if (known != listens_.end()) return known->second;
    return listens_[address] = TryConnect(address, kConnectTimeout).ok();
  }

  // Services behind the gateway that listen where the model says. Only those that the configuration names nowhere else,
  // if there are any: who is reached already needs no other address.
  std::vector<std::pair<std::string, std::string>> InItsPlace(const GatewayRequest& request) {
    const std::vector<const NginxWord*> targets = TargetsOf(*request.nginx->config);
    std::vector<std::pair<std::string, std::string>> all, unnamed;
    for (const std::string& name : request.gateway->depends_on()) {
      const v1::Service* needed = scene_.FindService(name);
      const std::vector<std::string> addresses = needed == nullptr ? std::vector<std::string>() : AddressesOf(*needed);
      if (addresses.empty() || !Listens(addresses[0])) continue;
      all.emplace_back(name, addresses[0]);
      const bool named = std::any_of(targets.begin(), targets.end(), [&](const NginxWord* target) {
        return std::any_of(addresses.begin(), addresses.end(),
                           [&](const std::string& address) { return Names(*target, address); });
      });
      if (!named) unnamed.push_back(all.back());
    }
    return unnamed.empty() ? all : unnamed;
  }

  // The last place where the address is written.
  static const NginxWord* PlaceOf(const GatewayRequest& request, const std::string& address) {
    const NginxWord* place = nullptr;
    for (const NginxWord* target : TargetsOf(*request.nginx->config)) {
      if (Names(*target, address)) place = target;
    }
    return place;
  }

  Candidate Propose(const FailingUpstream& upstream) {
    const GatewayRequest& request = *upstream.first;
    const std::string& stale = request.route.addresses[0];
    const NginxWord* place = PlaceOf(request, stale);
    v1::Hypothesis h;
    h.set_kind("upstream.stale_address");
    h.set_component(request.gateway->name());
    for (const std::string& id : upstream.symptoms) h.add_symptom_ids(id);
    h.add_evidence_for(request.nginx->evidence);
    if (place != nullptr) *h.mutable_location() = place->location;
    for (const auto& [name, address] : InItsPlace(request)) {
      AddTest(name, address, stale, &h);
      // Of several stale addresses it is not known which stands for which.
      if (request.route.addresses.size() > 1 || place == nullptr) continue;
      const v1::Location& at = place->location;
      if (!MayEdit(scene_, *request.gateway, at.file())) continue;
      *h.add_remedies() = MakeRemedy("address-" + name, fmt::format("Send to {} at {}", name, address), "gateway",
                                     {ReplaceText(request.gateway->name(), at.file(), at.line(), stale, address,
                                                  fmt::format("Send to {} in place of {}", address, stale))});
    }
    if (request.route.addresses.size() > 1) AddRevert(scene_, *request.gateway, &h);
    Conclude(request, stale, &h);
    return {h, {}};
  }

  void AddTest(const std::string& name, const std::string& address, const std::string& stale, v1::Hypothesis* h) {
    const std::string evidence =
        scene_.book.Add(MakeEvidence("tcp", name, fmt::format("{} listens on {}", name, address)));
    h->add_evidence_for(evidence);
    v1::Counterfactual* test = h->add_tests();
    test->set_description(fmt::format("{} answers at {}, not at {}", name, address, stale));
    test->set_agrees(true);
    test->add_evidence_ids(evidence);
  }

  static void Conclude(const GatewayRequest& request, const std::string& stale, v1::Hypothesis* h) {
    h->set_title(fmt::format("{} sends to {}, where no declared service listens", request.gateway->name(), stale));
    h->set_explanation(fmt::format("{} is answered with {} because its upstream is {}. {}",
                                   PathOf(AttributeOf(*request.result, "url")), StatusOf(*request.result), stale,
                                   h->remedies_size() > 0
                                       ? "The service behind it listens elsewhere, and is reachable there."
                                       : "No service of the model was found listening in its place."));
    h->set_confidence(h->remedies_size() == 1                         ? kOneInItsPlace
                      : h->remedies_size() > 1 || h->tests_size() > 0 ? kSeveralInItsPlace
                                                                      : kNoneInItsPlace);
    h->set_status(h->remedies_size() > 0 ? v1::HYPOTHESIS_STATUS_SUPPORTED : v1::HYPOTHESIS_STATUS_PROPOSED);
  }

  Scene& scene_;
  std::map<std::string, bool> listens_;
};

}  // namespace

void AnalyzeUpstream(Scene* scene, std::vector<Candidate>* candidates) { UpstreamAnalysis(scene).Run(candidates); }

}  // namespace omnix
