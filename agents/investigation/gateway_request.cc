#include "agents/investigation/gateway_request.h"

#include <algorithm>

#include "agents/investigation/symptoms_of.h"
#include "agents/sources/nginx_scopes.h"

namespace omnix {
namespace {

void FindUpstream(const Scene& scene, GatewayRequest* request) {
  if (request->route.kind != NginxRoute::Kind::kProxy) return;
  if (request->route.upstream.starts_with("https://")) request->scheme = "https://";
  for (const std::string& address : request->route.addresses) {
    const v1::Service* service = scene.ServiceAt(address);
    if (service == nullptr) continue;
    request->upstream = service;
    request->straight_url = request->scheme + address + request->route.upstream_path;
    return;
  }
}

}  // namespace

std::vector<GatewayRequest> GatewayRequests(const Scene& scene,
                                            const std::function<bool(const v1::CheckResult&)>& wanted,
                                            RequestMethods methods) {
  std::vector<GatewayRequest> requests;
  for (const auto& [id, result] : scene.symptom_results) {
    const std::string url = AttributeOf(result, "url");
    const std::string method = AttributeOf(result, "method");
    const bool right_method = methods == RequestMethods::kAll || method.empty() || method == "GET";
    if (url.empty() || !right_method || !wanted(result)) continue;
    GatewayRequest request;
    request.symptom = id;
    request.result = &result;
    request.gateway = scene.ServiceAt(url);
    request.nginx = request.gateway == nullptr ? nullptr : scene.NginxOf(request.gateway);
    if (request.nginx == nullptr || !request.nginx->config) continue;
    request.route = RouteRequest(*request.nginx->config, request.nginx->port, request.nginx->host, PathOf(url));
    FindUpstream(scene, &request);
    requests.push_back(std::move(request));
  }
  return requests;
}

const NginxDirective* BlockOf(const GatewayRequest& request) {
  return request.route.location != nullptr ? request.route.location : request.route.server;
}

const NginxDirective* EffectiveDirective(const GatewayRequest& request, const std::string& name) {
  // What limits a request is checked before try_files sends it on; how it is passed on, where it is passed on.
  const bool limits = name.starts_with("limit_") || name == "client_max_body_size";
  for (const NginxDirective* passed : request.route.passed) {
    const auto own = passed->Find(name);
    if (limits && !own.empty()) return own.back();
  }
  return DirectiveInEffect(*request.nginx->config, BlockOf(request), name);
}

const NginxDirective* LimitBehind(const Scene& scene, const v1::Service& service,
                                  const google::protobuf::RepeatedPtrField<std::string>& symptoms,
                                  const std::vector<std::string>& names) {
  const NginxFacts* nginx = scene.NginxOf(&service);
  if (nginx == nullptr) return nullptr;
  for (const std::string& id : symptoms) {
    const auto result = scene.symptom_results.find(id);
    const std::string url = result == scene.symptom_results.end() ? "" : AttributeOf(result->second, "url");
    if (url.empty() || scene.ServiceAt(url) != &service) continue;
    const NginxRoute route = RouteRequest(*nginx->config, nginx->port, nginx->host, PathOf(url));
    for (const std::string& name : names) {
      const NginxDirective* block = route.location != nullptr ? route.location : route.server;
      if (const NginxDirective* found = DirectiveInEffect(*nginx->config, block, name)) return found;
    }
  }
  return FindDirective(*nginx->config, [&](const NginxDirective& directive) {
    return std::find(names.begin(), names.end(), directive.name()) != names.end();
  });
}

const NginxDirective* FindDirective(const NginxConfig& config, const std::function<bool(const NginxDirective&)>& fits) {
  std::vector<const NginxDirective*> open = {&config.root};
  while (!open.empty()) {
    const NginxDirective* at = open.back();
    open.pop_back();
    for (const NginxDirective& child : at->block) {
      if (fits(child)) return &child;
      open.push_back(&child);
    }
  }
  return nullptr;
}

void AddRevert(const Scene& scene, const v1::Service& service, v1::Hypothesis* h) {
  if (h->location().file().empty() || !MayEdit(scene, service, h->location().file())) return;
  for (const Change* change : scene.ChangesOf(h->location().file())) {
    if (!change->IsRevertible() || !scene.IsRecent(*change)) continue;
    *h->add_remedies() = MakeRemedy("revert", "Take the last change of " + service.name() + "'s configuration back",
                                    "configuration", {GitRevert(service.name(), *change)});
    h->add_evidence_for(change->evidence);
    return;
  }
}

}  // namespace omnix
