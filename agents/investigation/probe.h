// Probes: each looks at one side of the system under care, read-only, and adds what it found to the scene: facts for
// analyzers (facts.h), evidence for people, and symptoms where an expectation of the system model does not hold. A new
// one is a new file probe_<noun>.cc with its test and one line in probes.cc.
//
// Probes run in parallel, each once an investigation, one of them the suites of checks: a probe reads the case, the
// clients and the nginx facts of the scene and nothing else of it. It ends soon after the case is cancelled, waits for
// nothing beyond Case::remaining(), and asks only what the system model names. What can't be had (no permission, no
// answer, no such file) is evidence that says so, never a failure.
#pragma once

#include <string_view>
#include <vector>

#include "agents/investigation/scene.h"

namespace omnix {

struct Probe {
  std::string_view name;
  void (*run)(Scene* scene);
};

const std::vector<Probe>& Probes();
// Run after all checks and the other probes, one after another: they may use their facts.
const std::vector<Probe>& LateProbes();

}  // namespace omnix
