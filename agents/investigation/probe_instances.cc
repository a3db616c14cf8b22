#include "agents/investigation/probe_instances.h"

#include <algorithm>

#include "agents/checks/url.h"
#include "agents/investigation/probe.h"
#include "fmt/format.h"

namespace omnix {
namespace {

bool Serves(int status) { return status > 0 && status < 400; }
// What a sibling serves and this one does not know is of another version.
bool Fails(int status) {
  return status == 0 || status >= 500 || status == 401 || status == 403 || status == 404 || status == 405;
}

std::vector<std::string> PathsOf(const v1::Service& service) {
  std::vector<std::string> paths;
  for (const v1::Endpoint& endpoint : service.endpoints()) {
    const bool reads = endpoint.method().empty() || endpoint.method() == "GET";
    const bool plain = endpoint.path().find('{') == std::string::npos && !endpoint.websocket();
    if (reads && plain && paths.size() < kMaxInstancePaths) paths.push_back(endpoint.path());
  }
  if (paths.empty()) paths.push_back("/");
  return paths;
}

}  // namespace

void ProbeInstances(Scene* scene) {
  for (const v1::Service& service : scene->input.system.services()) {
    if (service.instances_size() < 2) continue;
    std::vector<InstanceFacts> all;
    for (const v1::Instance& instance : service.instances()) {
      InstanceFacts facts{&service, &instance, {}, {}};
      for (const std::string& path : PathsOf(service)) {
        if (scene->input.cancelled()) return;
        const Answer& answer = scene->prober.Ask({service.name(), JoinUrl(instance.base_url(), path), "", false});
        facts.answers[path] = answer.status;
        if (!answer.evidence.empty()) facts.evidence.push_back(answer.evidence);
      }
      all.push_back(std::move(facts));
    }
    for (const InstanceFacts& facts : all) scene->facts.Add(facts);
    for (const InstanceFacts& facts : all) {
      if (!FailsAlone(*scene, facts)) continue;
      scene->AddSymptom(service.name(), "instances",
                        fmt::format("{} of {} fails what its siblings serve", facts.instance->name(), service.name()),
                        facts.evidence.empty() ? "" : facts.evidence[0]);
    }
  }
}

std::vector<const InstanceFacts*> InstancesOf(const Scene& scene, const v1::Service& service) {
  std::vector<const InstanceFacts*> found;
  for (const InstanceFacts* facts : scene.facts.All<InstanceFacts>()) {
    if (facts->service == &service) found.push_back(facts);
  }
  return found;
}

std::string PathFailedAlone(const Scene& scene, const InstanceFacts& instance) {
  for (const InstanceFacts* sibling : InstancesOf(scene, *instance.service)) {
    if (sibling->instance == instance.instance) continue;
    for (const auto& [path, status] : instance.answers) {
      const auto other = sibling->answers.find(path);
      if (other != sibling->answers.end() && Fails(status) && Serves(other->second)) return path;
    }
  }
  return "";
}

bool FailsAlone(const Scene& scene, const InstanceFacts& instance) { return !PathFailedAlone(scene, instance).empty(); }

}  // namespace omnix
