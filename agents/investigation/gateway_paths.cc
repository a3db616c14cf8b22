#include "agents/investigation/gateway_paths.h"

#include <algorithm>
#include <set>

#include "agents/investigation/symptoms_of.h"

namespace omnix {
namespace {

// "/" is the end of too many.
constexpr size_t kLeastPath = 2;

// What stands before the end that two paths have in common, on each side: "" and "/svc" of "/rooms" and "/svc/rooms".
struct Mapping {
  std::string outside;
  std::string behind;
};

Mapping MappingOf(const std::string& asked, const std::string& passed) {
  size_t common = 0, at_slash = 0;
  while (common < std::min(asked.size(), passed.size()) &&
         asked[asked.size() - 1 - common] == passed[passed.size() - 1 - common]) {
    ++common;
    if (asked[asked.size() - common] == '/') at_slash = common;
  }
  return {asked.substr(0, asked.size() - at_slash), passed.substr(0, passed.size() - at_slash)};
}

std::set<std::string> PathsAskedOf(const Scene& scene, const v1::Service& gateway) {
  std::set<std::string> paths;
  for (const v1::CheckResult& result : scene.results) {
    const std::string url = AttributeOf(result, "url");
    if (!url.empty() && scene.ServiceAt(url) == &gateway) paths.insert(PathOf(url));
  }
  return paths;
}

void AddOnce(std::vector<std::string>* paths, const std::string& path) {
  if (std::find(paths->begin(), paths->end(), path) == paths->end()) paths->push_back(path);
}

}  // namespace

std::vector<std::string> EndpointsAlike(const v1::Service& service, const std::string& path) {
  std::vector<std::string> alike;
  for (const v1::Endpoint& endpoint : service.endpoints()) {
    const bool reads = endpoint.method().empty() || endpoint.method() == "GET";
    const std::string& own = endpoint.path();
    if (!reads || endpoint.websocket() || own == path || std::min(own.size(), path.size()) < kLeastPath) continue;
    if (path.ends_with(own) || own.ends_with(path)) alike.push_back(own);
  }
  return alike;
}

std::vector<std::string> PathsBehind(const Scene& scene, const v1::Service& gateway, const v1::Service& behind,
                                     const std::string& path) {
  std::vector<std::string> paths = {path};
  for (const std::string& endpoint : EndpointsAlike(behind, path)) AddOnce(&paths, endpoint);
  const NginxFacts* nginx = scene.NginxOf(&gateway);
  if (nginx == nullptr || !nginx->config) return paths;
  for (const std::string& other : PathsAskedOf(scene, gateway)) {
    const NginxRoute route = RouteRequest(*nginx->config, nginx->port, nginx->host, other);
    const bool there = std::any_of(route.addresses.begin(), route.addresses.end(),
                                   [&](const std::string& address) { return scene.ServiceAt(address) == &behind; });
    if (route.kind != NginxRoute::Kind::kProxy || !there) continue;
    const Mapping mapping = MappingOf(other, route.upstream_path);
    if (path.starts_with(mapping.outside + "/")) AddOnce(&paths, mapping.behind + path.substr(mapping.outside.size()));
  }
  return paths;
}

}  // namespace omnix
