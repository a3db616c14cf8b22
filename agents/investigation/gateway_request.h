// A failing request at an nginx gateway: where it goes, and how the same request fares without the gateway.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agents/investigation/analyzer.h"

namespace omnix {

struct GatewayRequest {
  std::string symptom;
  const v1::CheckResult* result = nullptr;
  const v1::Service* gateway = nullptr;
  const NginxFacts* nginx = nullptr;
  NginxRoute route;
  // The first address behind the route that a declared service has, with the path that it gets; "": none.
  std::string straight_url;
  const v1::Service* upstream = nullptr;
  // "http://" or "https://", as the gateway speaks to the upstream.
  std::string scheme = "http://";
};

enum class RequestMethods { kGet, kAll };

// Of the symptoms that are answers of nginx gateways to requests with these methods, those for whose result `wanted`
// holds.
std::vector<GatewayRequest> GatewayRequests(const Scene& scene,
                                            const std::function<bool(const v1::CheckResult&)>& wanted,
                                            RequestMethods methods = RequestMethods::kGet);

// The block that answers: the route's location, else its server.
const NginxDirective* BlockOf(const GatewayRequest& request);

// The directive in effect for the route (nginx_scopes.h); null: nginx' default.
const NginxDirective* EffectiveDirective(const GatewayRequest& request, const std::string& name);

// The limit that the service's nginx had in effect for one of these symptoms, the first of `names` that there is; else
// for any place of its configuration; null: none.
const NginxDirective* LimitBehind(const Scene& scene, const v1::Service& service,
                                  const google::protobuf::RepeatedPtrField<std::string>& symptoms,
                                  const std::vector<std::string>& names);

// The first directive that `fits`, anywhere in the configuration; null: none.
const NginxDirective* FindDirective(const NginxConfig& config, const std::function<bool(const NginxDirective&)>& fits);

// Takes the last change of the hypothesis' file back, where that was lately and the file may be edited.
void AddRevert(const Scene& scene, const v1::Service& service, v1::Hypothesis* h);

}  // namespace omnix
