// gateway.rate_limit: the gateway answers 429 or 503 by itself where a limit of requests or connections is in effect,
// and the service behind it serves the same request. Where many more requests came than usual the limit does what it is
// for: then it speaks against.
#include <algorithm>
#include <map>

#include "agents/investigation/analyzer.h"
#include "agents/investigation/gateway_limits.h"
#include "agents/investigation/log_signs.h"
#include "agents/investigation/probe_access.h"
#include "agents/investigation/symptoms_of.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr int kTooMany = 429;
constexpr int kUnavailable = 503;
constexpr int kFirstError = 400;
constexpr double kShownAndLogged = 0.92;
constexpr double kShown = 0.75;
constexpr double kManyMore = 0.55;
constexpr double kJump = 3;

bool IsLogged(const Scene& scene, const v1::Service& gateway) {
  const auto signs = SignsOf(scene, gateway);
  return std::any_of(signs.begin(), signs.end(),
                     [](const LogSign* sign) { return sign->shape->kind == "gateway.rate_limit"; });
}

// The status with which this limit answers.
int StatusOfLimit(const GatewayRequest& request, const NginxDirective& limit) {
  const NginxDirective* status = EffectiveDirective(request, limit.name() + "_status");
  return status == nullptr ? kUnavailable : std::atoi(status->Argument(1).c_str());
}

// Evidence that there were many more requests than usual; "" where there were not.
std::string ManyMore(Scene* scene, const v1::Service& gateway) {
  for (const AccessFacts* facts : AccessOf(*scene, gateway)) {
    const auto usual = facts->UsualPerMinute();
    if (!usual || facts->PeakPerMinute() < kJump * *usual) continue;
    return scene->book.Add(MakeEvidence(
        "access_log", gateway.name(),
        fmt::format("up to {} requests a minute, where 95 % of the minutes before had at most {}: the limit met more "
                    "requests than usual",
                    facts->PeakPerMinute(), *usual)));
  }
  return "";
}

}  // namespace

void AnalyzeGatewayRateLimit(Scene* scene, std::vector<Candidate>* candidates) {
  std::map<const NginxDirective*, v1::Hypothesis> found;
  const auto limited = [](const v1::CheckResult& result) {
    return StatusOf(result) == kTooMany || StatusOf(result) == kUnavailable;
  };
  for (const GatewayRequest& request : GatewayRequests(*scene, limited)) {
    const NginxDirective* limit = EffectiveDirective(request, "limit_req");
    if (limit == nullptr) limit = EffectiveDirective(request, "limit_conn");
    if (limit == nullptr || request.straight_url.empty()) continue;
    if (StatusOfLimit(request, *limit) != StatusOf(*request.result)) continue;
    HttpRequest ask;
    ask.url = request.straight_url;
    const auto answer = scene->http.Send(ask);
    if (!answer.ok() || answer->status >= kFirstError) continue;
    v1::Hypothesis& h = found[limit];
    h.add_symptom_ids(request.symptom);
    const std::string told = fmt::format("{} answers {} with {}, {} by itself with {}", request.gateway->name(),
                                         PathOf(AttributeOf(*request.result, "url")), StatusOf(*request.result),
                                         request.upstream->name(), answer->status);
    v1::Counterfactual* test = h.add_tests();
    test->set_description(told);
    test->set_agrees(true);
    test->add_evidence_ids(scene->book.Add(MakeEvidence("http", request.gateway->name(), told)));
    h.add_evidence_for(test->evidence_ids(0));
    if (!h.kind().empty()) continue;
    const NginxDirective* zone = RateLimitBehind(*scene, *request.gateway, h.symptom_ids(), "");
    h.set_kind("gateway.rate_limit");
    h.set_component(request.gateway->name());
    *h.mutable_location() = (zone != nullptr ? zone : limit)->words[0].location;
    std::string text;
    for (const NginxWord& word : limit->words) text += (text.empty() ? "" : " ") + word.text;
    h.set_title(fmt::format("{} limits the rate of requests: {}", request.gateway->name(), text));
    const std::string many = ManyMore(scene, *request.gateway);
    const bool logged = IsLogged(*scene, *request.gateway);
    if (!many.empty()) h.add_evidence_against(many);
    h.set_explanation(fmt::format(
        "{}. `{}` is in effect there{}. {}", told, text,
        logged ? ", and the gateway's log says that it limits requests" : "",
        many.empty() ? "There were not many more requests than usual." : "But many more requests came than usual."));
    h.set_confidence(!many.empty() ? kManyMore : logged ? kShownAndLogged : kShown);
    h.set_status(v1::HYPOTHESIS_STATUS_SUPPORTED);
    AddRevert(*scene, *request.gateway, &h);
  }
  for (auto& [limit, hypothesis] : found) candidates->push_back({std::move(hypothesis), {}});
}

}  // namespace omnix
