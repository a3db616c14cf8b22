// The endpoints of services that others stand before.
#pragma once

#include <mutex>
#include <vector>

#include "agents/investigation/scene.h"

namespace omnix {

// Asks for those that no request through other services has shown to be well: each costs the service one more request.
class InnerEndpoints {
 public:
  explicit InnerEndpoints(Scene* scene) : scene_(*scene) {}

  // While the suites may still wait for late answers. Waits for all answers.
  void Ask();
  // Once the suites have ended.
  void TakeResults();

 private:
  void Ask(const v1::Service& service);
  // Whether all are well.
  bool Evaluate(const v1::Service& service, const std::vector<v1::Endpoint>& endpoints, absl::Duration timeout);
  void NoteShown(const v1::Service& service, const v1::Endpoint& endpoint);

  Scene& scene_;
  std::mutex mutex_;
  std::vector<v1::CheckResult> shown_;
  std::vector<v1::Verdict> verdicts_;
};

}  // namespace omnix
