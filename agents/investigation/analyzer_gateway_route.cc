// gateway.route_missing and gateway.rejects: a path fails at the gateway and is served by a service behind it when
// called straight. The remedy takes back the last change of the gateway's configuration, where that change speaks of
// the path.
#include <algorithm>
#include <set>

#include "agents/checks/http_tools.h"
#include "agents/investigation/analyzer.h"
#include "agents/investigation/gateway_paths.h"
#include "agents/investigation/probe_access.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr int kNotFoundStatus = 404;
constexpr int kFirstErrorStatus = 400;
constexpr int kUnauthorized = 401;
constexpr int kServerError = 500;

bool IsExplained(const std::vector<Candidate>& candidates, const std::string& symptom) {
  return std::any_of(candidates.begin(), candidates.end(), [&](const Candidate& candidate) {
    const auto& ids = candidate.hypothesis.symptom_ids();
    return std::find(ids.begin(), ids.end(), symptom) != ids.end();
  });
}

bool Mentions(const Change& change, const std::string& path) {
  const std::string segment = path.substr(1, path.find('/', 1) - 1);
  if (segment.empty()) return false;
  for (const GitHunk& hunk : change.hunks) {
    for (const auto* lines : {&hunk.removed, &hunk.added}) {
      for (const std::string& line : *lines) {
        if (line.find(segment) != std::string::npos) return true;
      }
    }
  }
  return false;
}

// The service behind the gateway that serves the path when called straight; with the answer. That who calls must say
// who it is, is an answer of the service, unless the gateway hands on the very same.
const v1::Service* ServedBehind(Scene* scene, const v1::Service& gateway, const std::string& path,
                                const Answer& through, Answer* answer) {
  const auto serves = [&](int status) {
    return status > 0 && (status < kFirstErrorStatus || (status == kUnauthorized && through.status != kUnauthorized));
  };
  for (const std::string& name : gateway.depends_on()) {
    const v1::Service* behind = scene->FindService(name);
    if (behind == nullptr || behind->base_url().empty()) continue;
    std::string base = behind->base_url();
    while (base.ends_with('/')) base.pop_back();
    for (const std::string& own : PathsBehind(*scene, gateway, *behind, path)) {
      *answer = scene->prober.Ask({name, base + own, "", false});
      if (serves(answer->status)) return behind;
    }
  }
  return nullptr;
}

void AddRevert(const Scene& scene, const v1::Service& gateway, const std::string& path, v1::Hypothesis* h) {
  constexpr double kWithFittingChange = 0.85;
  const NginxFacts* nginx = scene.NginxOf(&gateway);
  if (nginx == nullptr) return;
  for (const std::string& file : nginx->config->files) {
    for (const Change* change : scene.ChangesOf(file)) {
      if (!change->IsRevertible() || !Mentions(*change, path) || !MayEdit(scene, gateway, file)) continue;
      h->add_evidence_for(change->evidence);
      h->mutable_location()->set_file(file);
      h->mutable_location()->set_line(change->hunks[0].line);
      h->set_confidence(kWithFittingChange);
      h->set_explanation(h->explanation() + fmt::format(" {} changed this part of {} last.", change->Name(), file));
      *h->add_remedies() = MakeRemedy("revert", fmt::format("Take back {}", change->Title()), "gateway",
                                      {GitRevert(gateway.name(), *change)});
      return;
    }
  }
}

// Users were served by this path, and the configuration sends it nowhere now. No file ("/assets/app.1a.js"): those come
// and go with each release.
bool WasServed(const Scene& scene, const v1::Service& gateway, const v1::CheckResult& result) {
  constexpr uint64_t kLeastServed = 5;
  const auto method = result.attributes().find("method");
  const std::string path = PathOf(result.attributes().at("url"));
  const NginxFacts* nginx = scene.NginxOf(&gateway);
  const NginxRoute route = RouteRequest(*nginx->config, nginx->port, nginx->host, path);
  const PathCounts* counts =
      AccessOfPath(scene, gateway, method == result.attributes().end() ? "GET" : method->second, path);
  const bool is_file = path.find('.', path.rfind('/') + 1) != std::string::npos;
  if (counts == nullptr || is_file || route.kind == NginxRoute::Kind::kProxy) return false;
  uint64_t served = 0;
  for (const RequestCounts* part : {&counts->before, &counts->during}) {
    for (const auto& [status, count] : part->statuses) served += status < kFirstErrorStatus ? count : 0;
  }
  return served >= kLeastServed;
}

void TellServedBehind(const v1::Service& gateway, const v1::Service& behind, const std::string& path,
                      const Answer& through, const Answer& direct, v1::Hypothesis* h) {
  h->set_title(fmt::format("{} answers {} with {}, {} serves it", gateway.name(), path, through.status, behind.name()));
  h->set_explanation(fmt::format("Straight at {} the path is answered with {}, so the fault is in {}.", behind.name(),
                                 direct.status, gateway.name()));
  v1::Counterfactual* test = h->add_tests();
  test->set_description(fmt::format("{} through {}: {}; straight to {}: {}", path, gateway.name(), through.status,
                                    behind.name(), direct.status));
  test->set_agrees(true);
  for (const std::string& evidence : {through.evidence, direct.evidence}) {
    test->add_evidence_ids(evidence);
    h->add_evidence_for(evidence);
  }
}

void TellLost(const Scene& scene, const v1::Service& gateway, const std::string& path, const Answer& through,
              v1::Hypothesis* h) {
  h->set_title(
      fmt::format("{} answers {} with {} by itself, and served it lately", gateway.name(), path, through.status));
  h->set_explanation(
      fmt::format("The access log of {} has answers to users for this path, and its configuration hands "
                  "it to no service now.",
                  gateway.name()));
  h->add_evidence_for(through.evidence);
  for (const AccessFacts* facts : AccessOf(scene, gateway)) h->add_evidence_for(facts->evidence);
}

}  // namespace

void AnalyzeGatewayRoute(Scene* scene, std::vector<Candidate>* candidates) {
  constexpr double kWithoutChange = 0.6;
  for (const auto& [id, result] : scene->symptom_results) {
    const auto& attributes = result.attributes();
    const bool other_kind =
        attributes.count("origin") > 0 || attributes.count("websocket") > 0 || result.kind() == "dev_proxy";
    if (attributes.count("url") == 0 || other_kind || IsExplained(*candidates, id)) continue;
    const std::string url = attributes.at("url"), path = PathOf(url);
    const v1::Service* gateway = scene->ServiceAt(url);
    if (gateway == nullptr || scene->NginxOf(gateway) == nullptr) continue;
    const Answer through = scene->prober.Ask({gateway->name(), url, "", false});
    // Another answer than the one that was complained of shows something else; and its own error is no gateway's.
    const auto complained = attributes.find("status");
    const bool same_answer = complained == attributes.end() || std::atoi(complained->second.c_str()) == through.status;
    const bool of_the_program = through.status == kServerError && !through.content_type.starts_with("text/html");
    const bool missing = through.status == kNotFoundStatus || attributes.count(kFallbackAttribute) > 0;
    if ((through.status < kFirstErrorStatus && !missing) || !same_answer || of_the_program) continue;
    Answer direct;
    const v1::Service* behind = ServedBehind(scene, *gateway, path, through, &direct);
    const bool lost = behind == nullptr && through.status == kNotFoundStatus && WasServed(*scene, *gateway, result);
    if (behind == nullptr && !lost) continue;
    const auto same = std::find_if(candidates->begin(), candidates->end(), [&](const Candidate& c) {
      return c.hypothesis.kind().starts_with("gateway.") && c.hypothesis.component() == gateway->name() &&
             c.hypothesis.title().find(path + " ") != std::string::npos;
    });
    if (same != candidates->end()) {
      same->hypothesis.add_symptom_ids(id);
      continue;
    }
    v1::Hypothesis h;
    h.set_kind(missing ? "gateway.route_missing" : "gateway.rejects");
    h.set_component(gateway->name());
    h.add_symptom_ids(id);
    lost ? TellLost(*scene, *gateway, path, through, &h)
         : TellServedBehind(*gateway, *behind, path, through, direct, &h);
    h.set_confidence(kWithoutChange);
    h.set_status(v1::HYPOTHESIS_STATUS_SUPPORTED);
    AddRevert(*scene, *gateway, path, &h);
    candidates->push_back({h, {}});
  }
}

}  // namespace omnix
