#include "agents/investigation/symptoms_of.h"

#include <re2/re2.h>

#include <algorithm>
#include <set>

#include "fmt/format.h"

namespace omnix {
namespace {

constexpr int kFirstServerError = 500;

bool NeedsOver(const v1::SystemModel& system, const std::string& service, const std::string& other,
               std::set<std::string>* seen) {
  if (!seen->insert(service).second) return false;
  for (const v1::Service& s : system.services()) {
    if (s.name() != service) continue;
    for (const std::string& needed : s.depends_on()) {
      if (needed == other || NeedsOver(system, needed, other, seen)) return true;
    }
  }
  return false;
}

bool FailedBehind(const v1::CheckResult& result) {
  const std::string error = AttributeOf(result, "error");
  return StatusOf(result) >= kFirstServerError || error == "timeout" || error == "slow";
}

// Whether the caller's request goes to the service (or one that needs it), as far as its nginx configuration tells.
bool GoesTo(const Scene& scene, const v1::Service& caller, const v1::CheckResult& result, const v1::Service& service) {
  const NginxFacts* nginx = scene.NginxOf(&caller);
  const std::string url = AttributeOf(result, "url");
  if (nginx == nullptr || url.empty()) return true;
  const NginxRoute route = RouteRequest(*nginx->config, nginx->port, nginx->host, PathOf(url));
  if (route.kind != NginxRoute::Kind::kProxy) return false;
  // A variable that only the request at hand has: it may be any.
  if (route.upstream.find('$') != std::string::npos) return true;
  return std::any_of(route.addresses.begin(), route.addresses.end(), [&](const std::string& address) {
    const v1::Service* at = scene.ServiceAt(address);
    return at == &service || (at != nullptr && Needs(scene.input.system, at->name(), service.name()));
  });
}

}  // namespace

std::string AttributeOf(const v1::CheckResult& result, const std::string& name) {
  const auto found = result.attributes().find(name);
  return found == result.attributes().end() ? "" : found->second;
}

int StatusOf(const v1::CheckResult& result) { return std::atoi(AttributeOf(result, "status").c_str()); }

bool Needs(const v1::SystemModel& system, const std::string& service, const std::string& other) {
  std::set<std::string> seen;
  return NeedsOver(system, service, other, &seen);
}

std::vector<std::string> SymptomsBehind(const Scene& scene, const v1::Service& service,
                                        const std::function<bool(const v1::CheckResult&)>& also) {
  std::vector<std::string> ids;
  for (const v1::Symptom& symptom : scene.symptoms) {
    const auto found = scene.symptom_results.find(symptom.id());
    if (symptom.component() == service.name()) {
      ids.push_back(symptom.id());
      continue;
    }
    const v1::Service* caller = scene.FindService(symptom.component());
    if (found == scene.symptom_results.end() || caller == nullptr) continue;
    const v1::CheckResult& result = found->second;
    if (!FailedBehind(result) && !also(result)) continue;
    if (Needs(scene.input.system, caller->name(), service.name()) && GoesTo(scene, *caller, result, service))
      ids.push_back(symptom.id());
  }
  return ids;
}

std::vector<std::string> AddressesOf(const v1::Service& service) {
  std::vector<std::string> addresses;
  const auto add = [&](const std::string& text) {
    const std::string address = text.empty() ? "" : AddressOf(text);
    if (!address.empty() && std::find(addresses.begin(), addresses.end(), address) == addresses.end())
      addresses.push_back(address);
  };
  add(service.base_url());
  for (const std::string& listen : service.listen()) add(listen);
  for (const v1::Instance& instance : service.instances()) add(instance.base_url());
  const std::string& dsn = service.database().dsn();
  static const RE2 kUrl(R"(^[a-z+]+://(?:[^@/]*@)?([^/?,@]+))");
  static const RE2 kHost(R"((?:^|\s)host(?:addr)?\s*=\s*'?([^\s']+))");
  static const RE2 kPort(R"((?:^|\s)port\s*=\s*'?(\d+))");
  std::string host, port;
  if (RE2::PartialMatch(dsn, kUrl, &host)) {
    add(host);
  } else if (RE2::PartialMatch(dsn, kHost, &host) && host[0] != '/' && RE2::PartialMatch(dsn, kPort, &port)) {
    add(fmt::format("{}:{}", host, port));
  }
  return addresses;
}

}  // namespace omnix
