#include "tests/simulation/host.h"

namespace omnix::simulation {

void Host::ProcessEnded(uint64_t process) {
  std::erase_if(locks_, [&](const auto& lock) { return lock.second.first == process; });
}

bool Host::Lock(uint64_t process, const SimulatedPlan& plan) {
  std::vector<std::string> names = plan.resources;
  names.push_back("plan:" + plan.hash);
  for (const auto& name : names) {
    if (locks_.contains(name)) return false;
  }
  for (const auto& name : names) locks_[name] = {process, plan.hash};
  return true;
}

void Host::Unlock(const SimulatedPlan& plan) {
  std::erase_if(locks_, [&](const auto& lock) { return lock.second.second == plan.hash; });
}

void Host::Changes(const SimulatedPlan& plan) {
  bench_.promises.WorldChanges(plan.incident_id, plan.hash, plan.resources);
}

void Host::Write(const SimulatedPlan& plan, const std::string& resource) {
  bench_.trace.Add(bench_.now(), "host", "{} has what plan {} of {} wants", resource, plan.hash, plan.incident_id);
  Changes(plan);
  contents_[resource] = plan.hash;
}

void Host::Restore(const SimulatedPlan& plan, const std::string& resource) {
  bench_.trace.Add(bench_.now(), "host", "{} is as before plan {} of {}", resource, plan.hash, plan.incident_id);
  Changes(plan);
  contents_[resource].clear();
}

void Host::RunOnce(const SimulatedPlan& plan) {
  bench_.trace.Add(bench_.now(), "host", "the command of plan {} of {} runs", plan.hash, plan.incident_id);
  Changes(plan);
  bench_.promises.StepDone(plan.hash, ++witnessed_[plan.hash]);
}

}  // namespace omnix::simulation
