// What a gateway and its backend say together of an allowed origin, and browsers don't take: the header twice
// (cors.origin_duplicated), a wildcard where credentials are sent (cors.wildcard_credentials), or no
// Access-Control-Allow-Credentials (cors.header_missing). The backend asked straight tells whose header it is.
#include <algorithm>
#include <map>

#include "absl/strings/match.h"
#include "agents/investigation/analyzer.h"
#include "agents/investigation/gateway_request.h"
#include "agents/investigation/sign_tests.h"
#include "agents/investigation/symptoms_of.h"
#include "agents/sources/nginx_scopes.h"
#include "common/file.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr std::string_view kAllowOrigin = "access-control-allow-origin";
constexpr double kShown = 0.92;
constexpr double kNotShown = 0.7;

struct Mistake {
  std::string_view kind;
  // Part of what the check observed.
  std::string_view observed;
  std::string_view says;
  std::string_view why;
};

constexpr Mistake kMistakes[] = {
    {"cors.origin_duplicated", "browsers accept exactly one", "sends Access-Control-Allow-Origin more than once",
     "Browsers accept exactly one Access-Control-Allow-Origin, and refuse an answer with two, also where they are "
     "equal."},
    {"cors.wildcard_credentials", "which browsers refuse with credentials",
     "allows any origin where credentials are sent",
     "Browsers refuse `*` as Access-Control-Allow-Origin for calls with cookies or credentials: the origin has to be "
     "named."},
    {"cors.header_missing", "no Access-Control-Allow-Credentials: true", "does not allow credentials",
     "The calls send cookies or credentials, and the answer has no Access-Control-Allow-Credentials: true."},
};

const Mistake* MistakeOf(const v1::CheckResult& result) {
  if (result.kind() != "cors") return nullptr;
  for (const Mistake& mistake : kMistakes) {
    if (result.observed().find(mistake.observed) != std::string::npos) return &mistake;
  }
  return nullptr;
}

// The add_header in effect (the block's own or inherited) for the route; null: the gateway adds none.
const NginxDirective* AddsOrigin(const GatewayRequest& request) {
  for (const NginxDirective* adds : DirectivesInEffect(*request.nginx->config, BlockOf(request), "add_header")) {
    if (absl::EqualsIgnoreCase(adds->Argument(1), absl::string_view(kAllowOrigin.data(), kAllowOrigin.size())))
      return adds;
  }
  return nullptr;
}

// The values of the header that the backend sends by itself.
std::vector<std::string> Straight(Scene* scene, const GatewayRequest& request, std::string* evidence) {
  std::vector<std::string> values;
  if (request.straight_url.empty()) return values;
  HttpRequest ask;
  ask.url = request.straight_url;
  ask.headers = {{"Origin", AttributeOf(*request.result, "origin")}};
  // What was asked without an origin has another answer.
  const auto answer = scene->http.SendAnew(ask);
  if (!answer.ok()) return values;
  for (const auto& [name, value] : answer->headers) {
    if (name == kAllowOrigin) values.push_back(value);
  }
  *evidence = scene->book.Add(MakeEvidence(
      "http", request.upstream->name(),
      fmt::format("{} straight, from {}: {}", request.straight_url, ask.headers[0].second,
                  values.empty() ? "no Access-Control-Allow-Origin" : "Access-Control-Allow-Origin: " + values[0]),
      "", {}, {{"url", request.straight_url}}));
  return values;
}

class Judge {
 public:
  explicit Judge(Scene* scene) : scene_(*scene) {}

  void Take(const GatewayRequest& request) {
    const Mistake& mistake = *MistakeOf(*request.result);
    v1::Hypothesis& h = found_[{request.gateway, mistake.kind}];
    h.add_symptom_ids(request.symptom);
    if (h.symptom_ids_size() > 1) return;
    h.set_kind(std::string(mistake.kind));
    const NginxDirective* adds = AddsOrigin(request);
    std::string evidence;
    const std::vector<std::string> straight = Straight(&scene_, request, &evidence);
    const bool backend = !straight.empty();
    // Of two that send it the gateway's is the one that can be taken away without the backend.
    const v1::Service& at = adds == nullptr && backend ? *request.upstream : *request.gateway;
    h.set_component(at.name());
    *h.mutable_location() =
        adds != nullptr ? adds->words[0].location : PlaceInConfiguration(at, "Access-Control-Allow-Origin");
    h.set_title(fmt::format("{} {}", at.name(), mistake.says));
    h.set_explanation(fmt::format("{} {}", mistake.why, Whose(request, adds, backend)));
    const bool twice = mistake.kind == "cors.origin_duplicated" && adds != nullptr && backend;
    if (!evidence.empty()) {
      h.add_evidence_for(evidence);
      v1::Counterfactual* test = h.add_tests();
      test->set_description(Whose(request, adds, backend));
      test->set_agrees(mistake.kind != "cors.origin_duplicated" || twice);
      test->add_evidence_ids(evidence);
    }
    if (twice) HideTheBackends(request, &h);
    AddRevert(scene_, at, &h);
    const bool shown = twice || (mistake.kind != "cors.origin_duplicated" && !h.location().file().empty());
    h.set_confidence(shown ? kShown : kNotShown);
    h.set_status(shown ? v1::HYPOTHESIS_STATUS_SUPPORTED : v1::HYPOTHESIS_STATUS_PROPOSED);
  }

  void Give(std::vector<Candidate>* candidates) {
    for (auto& [key, hypothesis] : found_) candidates->push_back({std::move(hypothesis), {}});
  }

 private:
  static std::string Whose(const GatewayRequest& request, const NginxDirective* adds, bool backend) {
    const std::string& gateway = request.gateway->name();
    const std::string upstream = request.upstream == nullptr ? "its backend" : request.upstream->name();
    if (adds != nullptr && backend) return fmt::format("{} sends it by itself, and {} adds one.", upstream, gateway);
    if (adds != nullptr) return fmt::format("{} adds it; {} sends none.", gateway, upstream);
    if (backend) return fmt::format("{} sends it; {} adds none.", upstream, gateway);
    return fmt::format("Neither {} nor {} was found to send it.", gateway, upstream);
  }

  // The gateway's list stays in force, and the backend's header does not pass.
  void HideTheBackends(const GatewayRequest& request, v1::Hypothesis* h) {
    const auto passes = BlockOf(request)->Find("proxy_pass");
    if (passes.empty()) return;
    const v1::Location& place = passes[0]->words[0].location;
    const auto text = ReadFile(place.file());
    if (!text.ok() || !MayEdit(scene_, *request.gateway, place.file()) || passes[0]->end.line() != place.line()) return;
    const std::string line = LineIndex(*text).Line(place.line());
    const size_t indent = line.find_first_not_of(" \t");
    if (place.column() != indent + 1) return;
    *h->add_remedies() = MakeRemedy(
        "hide", fmt::format("Pass on only {}'s own header", request.gateway->name()), "gateway",
        {InsertLines(request.gateway->name(), place.file(), place.line(), line,
                     {line.substr(0, indent) + "proxy_hide_header Access-Control-Allow-Origin;"},
                     fmt::format("Do not pass on Access-Control-Allow-Origin of {}", request.upstream->name()))});
  }

  Scene& scene_;
  std::map<std::pair<const v1::Service*, std::string_view>, v1::Hypothesis> found_;
};

}  // namespace

void AnalyzeCorsAnswer(Scene* scene, std::vector<Candidate>* candidates) {
  Judge judge(scene);
  const auto wrong = [](const v1::CheckResult& result) { return MistakeOf(result) != nullptr; };
  for (const GatewayRequest& request : GatewayRequests(*scene, wrong)) judge.Take(request);
  judge.Give(candidates);
}

}  // namespace omnix
