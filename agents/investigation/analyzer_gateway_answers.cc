// What a gateway answers by itself and should not: gateway.rejects (403, 401, 405 where the service behind it would
// serve) and gateway.redirect_loop (redirections that come back to where they began).
#include <algorithm>
#include <set>

#include "agents/investigation/analyzer.h"
#include "agents/investigation/gateway_request.h"
#include "agents/investigation/symptoms_of.h"
#include "common/status.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr double kShown = 0.92;
constexpr double kNoPlace = 0.75;
constexpr int kFirstErrorStatus = 400;
constexpr int kMaxHops = 5;

bool IsRefusal(const v1::CheckResult& result) {
  const int status = StatusOf(result);
  return status == 401 || status == 403 || status == 405;
}
bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// The first directive that `fits`, in the block and what it holds (but not in other locations).
const NginxDirective* FindIn(const NginxDirective* block, const std::function<bool(const NginxDirective&)>& fits) {
  if (block == nullptr) return nullptr;
  for (const NginxDirective& child : block->block) {
    if (fits(child)) return &child;
    if (child.name() == "location") continue;
    if (const NginxDirective* found = FindIn(&child, fits)) return found;
  }
  return nullptr;
}

const NginxDirective* FindOnRoute(const GatewayRequest& request,
                                  const std::function<bool(const NginxDirective&)>& fits) {
  for (const NginxDirective* passed : request.route.passed) {
    if (const NginxDirective* found = FindIn(passed, fits)) return found;
  }
  if (const NginxDirective* found = FindIn(request.route.location, fits)) return found;
  if (const NginxDirective* found = FindIn(request.route.server, fits)) return found;
  for (const NginxDirective* http : request.nginx->config->root.Find("http")) {
    for (const NginxDirective& child : http->block) {
      if (fits(child)) return &child;
    }
  }
  return nullptr;
}

// Whether the directive may be why nginx answers so.
bool Refuses(const NginxDirective& directive, int status) {
  const std::string& name = directive.name();
  const std::string first = directive.Argument(1);
  if (name == "return") return first == std::to_string(status);
  if (name == "auth_request") return status != 405;
  if (name == "auth_basic") return status == 401 && first != "off";
  return status == 403 && (name == "deny" || name == "limit_except" || name == "valid_referers");
}

bool Redirects(const NginxDirective& directive) {
  if (directive.name() == "return") return IsRedirect(std::atoi(directive.Argument(1).c_str()));
  const std::string flag = directive.words.back().text;
  return directive.name() == "rewrite" && (flag == "redirect" || flag == "permanent");
}

// Where the redirections lead, if they come back; "" where they end.
std::string FollowLoop(Scene* scene, std::string url, const v1::Service* gateway) {
  std::set<std::string> seen;
  for (int hop = 0; hop < kMaxHops; ++hop) {
    if (!seen.insert(url).second) return url;
    HttpRequest request;
    request.url = url;
    const auto answer = scene->http.Send(request);
    if (!answer.ok() || !IsRedirect(answer->status)) return "";
    const std::string target = answer->Header("location");
    if (target.empty()) return "";
    // Another host, or https in place of http, leaves what can be followed.
    const std::string origin = url.substr(0, url.find('/', url.find("//") + 2));
    const bool is_path = target.starts_with('/') && !target.starts_with("//");
    if (!is_path && target.substr(0, target.find("//")) != url.substr(0, url.find("//"))) return "";
    url = is_path ? origin + target : target;
    if (scene->ServiceAt(url) != gateway) return "";
  }
  return url;
}

// One candidate a directive, or a gateway where no directive is found.
class Findings {
 public:
  Findings(Scene* scene, std::string kind) : scene_(*scene), kind_(std::move(kind)) {}

  void Add(const GatewayRequest& request, const NginxDirective* directive, const std::string& told,
           const std::string& explanation) {
    v1::Hypothesis& h = found_[{request.gateway, directive}];
    h.add_symptom_ids(request.symptom);
    const std::string evidence = scene_.book.Add(MakeEvidence("http", request.gateway->name(), told));
    h.add_evidence_for(evidence);
    v1::Counterfactual* test = h.add_tests();
    test->set_description(told);
    test->set_agrees(true);
    test->add_evidence_ids(evidence);
    if (!h.kind().empty()) return;
    h.set_kind(kind_);
    h.set_component(request.gateway->name());
    std::string text;
    if (directive != nullptr) {
      *h.mutable_location() = directive->words[0].location;
      for (const NginxWord& word : directive->words) text += (text.empty() ? "" : " ") + word.text;
    }
    h.set_title(fmt::format("{} {}{}", request.gateway->name(), explanation, text.empty() ? "" : ": " + text));
    h.set_explanation(fmt::format("{}. The gateway answers by itself{}.", told,
                                  text.empty() ? "" : fmt::format(" because of `{}`", text)));
    h.set_confidence(directive == nullptr ? kNoPlace : kShown);
    h.set_status(v1::HYPOTHESIS_STATUS_SUPPORTED);
    AddRevert(scene_, *request.gateway, &h);
  }

  void Give(std::vector<Candidate>* candidates) {
    for (auto& [place, hypothesis] : found_) candidates->push_back({hypothesis, {}});
  }

 private:
  Scene& scene_;
  const std::string kind_;
  std::map<std::pair<const v1::Service*, const NginxDirective*>, v1::Hypothesis> found_;
};

}  // namespace

void AnalyzeGatewayRejects(Scene* scene, std::vector<Candidate>* candidates) {
  Findings findings(scene, "gateway.rejects");
  for (const GatewayRequest& request : GatewayRequests(*scene, IsRefusal)) {
    if (request.straight_url.empty()) continue;
    HttpRequest ask;
    ask.url = request.straight_url;
    const auto answer = scene->http.Send(ask);
    if (!answer.ok() || answer->status >= kFirstErrorStatus) continue;
    findings.Add(request,
                 FindOnRoute(request, [&](const NginxDirective& d) { return Refuses(d, StatusOf(*request.result)); }),
                 fmt::format("{} answers {} with {}, {} by itself with {}", request.gateway->name(),
                             PathOf(AttributeOf(*request.result, "url")), StatusOf(*request.result),
                             request.upstream->name(), answer->status),
                 "refuses what the service behind it serves");
  }
  findings.Give(candidates);
}

void AnalyzeRedirectLoop(Scene* scene, std::vector<Candidate>* candidates) {
  Findings findings(scene, "gateway.redirect_loop");
  constexpr size_t kMaxFollowed = 3;
  size_t followed = 0;
  const auto redirected = [](const v1::CheckResult& result) { return IsRedirect(StatusOf(result)); };
  const NginxDirective* known = nullptr;
  for (const GatewayRequest& request : GatewayRequests(*scene, redirected)) {
    const NginxDirective* directive = FindOnRoute(request, Redirects);
    const std::string url = AttributeOf(*request.result, "url");
    // What the same directive does to one path it does to the others.
    if (followed >= kMaxFollowed && directive != known) continue;
    if (followed < kMaxFollowed) {
      ++followed;
      if (FollowLoop(scene, url, request.gateway).empty()) continue;
      known = directive;
    }
    findings.Add(request, directive, fmt::format("{} is redirected, and ends where it began", PathOf(url)),
                 "redirects in a circle");
  }
  findings.Give(candidates);
}

}  // namespace omnix
