// gateway.timeout_too_short: the gateway answers 504, and the service behind it answers the same request well, only
// later than the gateway waits: asked straight, or by what the access log knows of the time before. A service that
// became slow is not the gateway's fault, unless the gateway was changed. A gateway that takes servers which were late
// out of its rotation answers 502 to all others.
#include <algorithm>
#include <map>

#include "agents/investigation/analyzer.h"
#include "agents/investigation/gateway_limits.h"
#include "agents/investigation/gateway_request.h"
#include "agents/investigation/probe_access.h"
#include "agents/investigation/symptoms_of.h"
#include "common/status.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr int kBadGateway = 502;
constexpr int kGatewayTimeout = 504;
constexpr int kFirstServerError = 500;
constexpr double kShown = 0.92;
// The log knows requests that took longer than the gateway waits now, and were served.
constexpr double kByLog = 0.82;
constexpr double kByDefault = 0.65;
// The service behind was quicker before.
constexpr double kBecameSlow = 0.45;
constexpr uint64_t kLeastServed = 20;

// "http://backend" of "http://backend/v1/".
std::string WithoutPath(const std::string& upstream) {
  const size_t host = upstream.find("//");
  return upstream.substr(0, host == std::string::npos ? std::string::npos : upstream.find('/', host + 2));
}

std::string Told(absl::Duration duration) { return absl::FormatDuration(absl::Trunc(duration, absl::Milliseconds(1))); }

struct Limit {
  // Null: nginx' default.
  const NginxDirective* directive = nullptr;
  std::string name;
  absl::Duration duration = kDefaultGatewayTimeout;
};

std::optional<Limit> LimitOf(const GatewayRequest& request) {
  Limit limit;
  for (const char* way : {"proxy", "fastcgi", "uwsgi", "grpc", "scgi"}) {
    if (BlockOf(request)->Find(fmt::format("{}_pass", way)).empty()) continue;
    limit.name = fmt::format("{}_read_timeout", way);
    limit.directive = EffectiveDirective(request, limit.name);
    if (limit.directive == nullptr) return limit;
    const auto duration = NginxTime(limit.directive->Argument(1));
    if (!duration) return std::nullopt;
    limit.duration = *duration;
    return limit;
  }
  return std::nullopt;
}

struct Short {
  Limit limit;
  std::string told;
  std::string evidence;
  double confidence = kShown;
  // By a request straight at the service, not by the log.
  bool tested = false;
  std::string against;
};

class TimeoutJudge {
 public:
  explicit TimeoutJudge(Scene* scene) : scene_(*scene) {}

  std::optional<Short> Judge(const GatewayRequest& request) {
    const auto limit = LimitOf(request);
    if (!limit || request.straight_url.empty()) return std::nullopt;
    const std::string method = AttributeOf(*request.result, "method");
    const PathCounts* counts = AccessOfPath(scene_, *request.gateway, method.empty() ? "GET" : method,
                                            PathOf(AttributeOf(*request.result, "url")));
    HttpRequest ask;
    ask.url = request.straight_url;
    const auto answer = scene_.http.Send(ask);
    if (answer.ok()) return ByAnswer(request, *limit, *answer, counts);
    return absl::IsDeadlineExceeded(answer.status()) ? ByLog(request, *limit, counts) : std::nullopt;
  }

 private:
  std::optional<Short> ByAnswer(const GatewayRequest& request, const Limit& limit, const HttpResponse& answer,
                                const PathCounts* counts) {
    if (answer.status >= kFirstServerError || answer.duration <= limit.duration) return std::nullopt;
    Short found;
    found.limit = limit;
    found.tested = true;
    found.told = fmt::format("{} answers {} with {} after {}; {} waits {}", request.upstream->name(),
                             PathOf(request.straight_url), answer.status, Told(answer.duration),
                             request.gateway->name(), Told(limit.duration));
    found.evidence = scene_.book.Add(
        MakeEvidence("http", request.upstream->name(), found.told, "", {}, {{"url", request.straight_url}}));
    if (counts == nullptr || counts->before.served.count() < kLeastServed || ChangedLately(limit)) return found;
    constexpr double kMost = 0.95;
    const absl::Duration usual = counts->before.served.Quantile(kMost);
    if (usual > limit.duration) return found;
    found.confidence = kBecameSlow;
    found.against = scene_.book.Add(MakeEvidence(
        "access_log", request.upstream->name(),
        fmt::format("before, 95 % of the answers to {} took at most {}: {} has become slow, and {} waits as long as it "
                    "did",
                    PathOf(AttributeOf(*request.result, "url")), Told(usual), request.upstream->name(),
                    request.gateway->name())));
    return found;
  }

  // The service takes longer than we wait: what was usual tells whether it always did.
  std::optional<Short> ByLog(const GatewayRequest& request, const Limit& limit, const PathCounts* counts) {
    if (counts == nullptr || counts->before.served.count() < kLeastServed) return std::nullopt;
    constexpr double kLeastBeyond = 0.05, kUpper = 0.95, kNear = 0.5;
    const DurationCounts& served = counts->before.served;
    const double beyond = 1 - served.ShareWithin(limit.duration);
    const bool near = limit.directive == nullptr && served.Quantile(kUpper) > kNear * limit.duration;
    if (beyond < kLeastBeyond && !near) return std::nullopt;
    Short found;
    found.limit = limit;
    found.confidence = beyond < kLeastBeyond ? kByDefault : kByLog;
    found.told = fmt::format("before, {:.0f} % of the answers to {} took longer than {} and were served; {} waits {}",
                             beyond * 100, PathOf(AttributeOf(*request.result, "url")), Told(limit.duration),
                             request.gateway->name(), Told(limit.duration));
    if (beyond < kLeastBeyond)
      found.told =
          fmt::format("{} always took up to {} for {}; {} waits {}, which is nginx' default", request.upstream->name(),
                      Told(served.Quantile(kUpper)), PathOf(AttributeOf(*request.result, "url")),
                      request.gateway->name(), Told(limit.duration));
    found.evidence = scene_.book.Add(MakeEvidence("access_log", request.gateway->name(), found.told));
    return found;
  }

  bool ChangedLately(const Limit& limit) const {
    return limit.directive != nullptr && scene_.RecentChangeOf(limit.directive->words[0].location.file()) != nullptr;
  }

  Scene& scene_;
};

void Add(const Scene& scene, const GatewayRequest& request, const Short& found, v1::Hypothesis* h) {
  h->add_symptom_ids(request.symptom);
  h->add_evidence_for(found.evidence);
  if (!found.against.empty()) h->add_evidence_against(found.against);
  if (found.tested) {
    v1::Counterfactual* test = h->add_tests();
    test->set_description(found.told);
    test->set_agrees(true);
    test->add_evidence_ids(found.evidence);
  }
  if (!h->kind().empty()) return;
  h->set_kind("gateway.timeout_too_short");
  h->set_component(request.gateway->name());
  const NginxDirective* place = found.limit.directive != nullptr ? found.limit.directive : BlockOf(request);
  *h->mutable_location() = place->words[0].location;
  h->set_title(fmt::format("{} waits only {} for {}", request.gateway->name(), Told(found.limit.duration),
                           request.upstream->name()));
  h->set_explanation(fmt::format("The gateway answers 504 because {} is {}{}; {}.{}", found.limit.name,
                                 Told(found.limit.duration),
                                 found.limit.directive == nullptr ? ", nginx' default where nothing is written" : "",
                                 found.told, found.against.empty() ? " The work itself is well." : ""));
  h->set_confidence(found.confidence);
  h->set_status(found.against.empty() ? v1::HYPOTHESIS_STATUS_SUPPORTED : v1::HYPOTHESIS_STATUS_PROPOSED);
  AddRevert(scene, *request.gateway, h);
}

}  // namespace

void AnalyzeGatewayTimeout(Scene* scene, std::vector<Candidate>* candidates) {
  const auto late = [](const v1::CheckResult& result) {
    return StatusOf(result) == kGatewayTimeout || StatusOf(result) == kBadGateway;
  };
  using Place = std::pair<const v1::Service*, const NginxDirective*>;
  std::map<Place, Candidate> by_place;
  std::map<Place, std::string> upstreams;
  const std::vector<GatewayRequest> requests = GatewayRequests(*scene, late);
  TimeoutJudge judge(scene);
  for (const GatewayRequest& request : requests) {
    const std::optional<Short> found = judge.Judge(request);
    if (!found) continue;
    const Place place = {request.gateway, found->limit.directive};
    Add(*scene, request, *found, &by_place[place].hypothesis);
    upstreams[place] = request.route.upstream;
  }
  for (const GatewayRequest& request : requests) {
    for (auto& [place, candidate] : by_place) {
      const auto& ids = candidate.hypothesis.symptom_ids();
      const bool same = WithoutPath(request.route.upstream) == WithoutPath(upstreams[place]);
      if (StatusOf(*request.result) == kBadGateway && same &&
          std::find(ids.begin(), ids.end(), request.symptom) == ids.end())
        candidate.hypothesis.add_symptom_ids(request.symptom);
    }
  }
  for (auto& [place, candidate] : by_place) candidates->push_back(std::move(candidate));
}

}  // namespace omnix
