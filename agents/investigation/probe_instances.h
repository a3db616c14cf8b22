// The copies of a service, asked one by one and in the same way: what one answers otherwise than its siblings.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agents/investigation/scene.h"

namespace omnix {

struct InstanceFacts {
  const v1::Service* service = nullptr;
  const v1::Instance* instance = nullptr;
  // Status by path; 0: no answer.
  std::map<std::string, int> answers;
  std::vector<std::string> evidence;
};

inline constexpr size_t kMaxInstancePaths = 6;

// One InstanceFacts for each copy of a service with several; a path that one of them serves and another fails is a
// symptom.
void ProbeInstances(Scene* scene);

std::vector<const InstanceFacts*> InstancesOf(const Scene& scene, const v1::Service& service);

// The first path that it fails and a sibling serves; "": none.
std::string PathFailedAlone(const Scene& scene, const InstanceFacts& instance);
// Whether it fails a path (5xx, 401, 403, 404, 405 or no answer) that a sibling serves.
bool FailsAlone(const Scene& scene, const InstanceFacts& instance);

}  // namespace omnix
