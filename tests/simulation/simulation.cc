#include "tests/simulation/simulation.h"

#include <algorithm>
#include <memory>

#include "orchestrator/core/names.h"
#include "tests/simulation/agent.h"
#include "tests/simulation/bench.h"
#include "tests/simulation/chaos.h"
#include "tests/simulation/daemon.h"
#include "tests/simulation/host.h"
#include "tests/simulation/monitor.h"
#include "tests/simulation/people.h"

namespace omnix::simulation {
namespace {

// Steps between two looks at what everybody waits for; less often with hundreds of incidents.
constexpr uint64_t kLookEvery = 16;
constexpr uint64_t kLookSeldom = 512;
constexpr size_t kManyIncidents = 20;
constexpr absl::Duration kSettleLook = absl::Milliseconds(250);
// Agents answer a cancellation, or come back and say what they hold, long before this.
constexpr absl::Duration kPlacesAreFree = absl::Minutes(3);
constexpr absl::Duration kLongestWayOfAnAlert = absl::Seconds(5);
// A run that does not come to its end by then spins.
constexpr uint64_t kMaxSteps = 5'000'000;

// It ended, or a person must act (who then sees why).
bool IsAtRest(const v1::Incident& incident) {
  if (IsClosed(incident.phase()) || incident.paused()) return true;
  if (incident.phase() == v1::PHASE_ESCALATED) return incident.rollback_by().empty();
  if (incident.recoveries().empty() || incident.phase() != v1::PHASE_RECOVERING) return false;
  const auto& last = incident.recoveries(incident.recoveries_size() - 1);
  return last.approval().state() == v1::APPROVAL_STATE_REQUESTED;
}

class Simulation {
 public:
  Simulation(uint64_t seed, bool keep_trace)
      : bench_(seed, keep_trace),
        daemon_(bench_),
        host_(bench_),
        monitor_(bench_, daemon_),
        people_(bench_, daemon_),
        chaos_(bench_, daemon_, agents_) {
    for (const auto& place : bench_.scenario.agents) {
      agents_.push_back(std::make_unique<Agent>(bench_, daemon_, host_, place));
    }
  }

  void Run() {
    daemon_.Start();
    for (auto& agent : agents_) agent->Start();
    monitor_.Start();
    people_.Start();
    chaos_.Start();
    RunUntil(bench_.scenario.faults_until);
    chaos_.Stop();
    bench_.trace.Add(bench_.now(), "calm", "no more faults");
    const absl::Duration until = bench_.now() + LongestWay(bench_.scenario);
    while (!broken() && !AtRest() && bench_.now() < until) RunUntil(bench_.now() + kSettleLook);
    if (!broken()) CheckEnd();
  }

  Outcome TakeOutcome(uint64_t seed) const {
    Outcome outcome;
    outcome.seed = seed;
    outcome.broken = bench_.promises.what_broke();
    outcome.trace_hash = bench_.trace.hash();
    outcome.faults = bench_.faults;
    outcome.events = bench_.promises.event_counts();
    outcome.incidents = bench_.promises.incidents().size();
    outcome.steps = steps_;
    outcome.virtual_time = bench_.now();
    outcome.trace = bench_.trace.lines();
    return outcome;
  }

 private:
  bool broken() const { return bench_.promises.broken(); }

  void RunUntil(absl::Duration when) {
    while (!broken() && !bench_.scheduler.empty() && bench_.scheduler.next() <= when) {
      bench_.scheduler.RunNext();
      const uint64_t look_every = bench_.promises.incidents().size() < kManyIncidents ? kLookEvery : kLookSeldom;
      if (++steps_ % look_every == 0 && daemon_.up()) bench_.promises.CheckWaiting(daemon_.engine());
      if (steps_ > kMaxSteps) bench_.promises.Break("a run ends", "it takes too many steps");
    }
    bench_.scheduler.clock().MoveTo(std::max(when, bench_.now()));
  }

  // Rolling back, but for a resource that one holds for whom a person must act.
  bool WaitsForOneAtRest(const v1::Incident& incident) const {
    if (incident.recoveries().empty() || !incident.resources().empty()) return false;
    const auto& plan = incident.recoveries(incident.recoveries_size() - 1).plan();
    return std::any_of(plan.resources().begin(), plan.resources().end(), [&](const std::string& resource) {
      const v1::Incident* holder = bench_.promises.HolderOf(resource);
      return holder != nullptr && holder->id() != incident.id() && IsAtRest(*holder);
    });
  }

  bool EndedOrWithAPerson(const v1::Incident& incident) const {
    return IsAtRest(incident) || (!incident.rollback_by().empty() && WaitsForOneAtRest(incident));
  }

  bool AtRest() const {
    if (!daemon_.quiet() || !monitor_.idle()) return false;
    for (const auto& [id, incident] : bench_.promises.incidents()) {
      if (!EndedOrWithAPerson(incident)) return false;
    }
    return true;
  }

  void CheckEnd() {
    const std::string promise = "an incident comes to its end or to a person";
    if (!monitor_.idle()) bench_.promises.Break(promise, "an alert is never acknowledged");
    for (const auto& [id, incident] : bench_.promises.incidents()) {
      if (!EndedOrWithAPerson(incident))
        bench_.promises.Break(promise, id + " is " + PhaseName(incident.phase()) + " for ever");
    }
    if (!daemon_.quiet()) return bench_.promises.Break(promise, "omnixd does not come to rest");
    for (const absl::Duration until = bench_.now() + kPlacesAreFree; !PlacesAreRight() && !broken();) {
      if (bench_.now() >= until) return bench_.promises.Break("a place at an agent is not lost", "its work has ended");
      RunUntil(bench_.now() + kSettleLook);
    }
    // What came meanwhile is written.
    while (!broken() && !daemon_.quiet()) RunUntil(bench_.now() + kSettleLook);
    bench_.promises.CheckWaiting(daemon_.engine());
    bench_.promises.CheckReplay(daemon_.engine(), daemon_.journal());
    if (!WallClockJumps()) bench_.promises.CheckNoAlertIsOverdue(kLongestWayOfAnAlert);
  }

  bool WallClockJumps() const {
    const Scenario& scenario = bench_.scenario;
    return scenario.Has(Fault::kWallClockForward) || scenario.Has(Fault::kWallClockBack) ||
           scenario.Has(Fault::kWallClockStands);
  }

  bool PlacesAreRight() {
    bool right = true;
    daemon_.Give([&](Engine& engine) {
      engine.ListAgents([&](const absl::StatusOr<v1::ListAgentsResponse>& listed) {
        right = listed.ok() && bench_.promises.PlacesAreTakenByTasks(*listed);
      });
    });
    return right;
  }

  Bench bench_;
  Daemon daemon_;
  Host host_;
  Monitor monitor_;
  People people_;
  std::vector<std::unique_ptr<Agent>> agents_;
  Chaos chaos_;
  uint64_t steps_ = 0;
};

}  // namespace

Outcome RunSeed(uint64_t seed, bool keep_trace) {
  Simulation simulation(seed, keep_trace);
  simulation.Run();
  return simulation.TakeOutcome(seed);
}

}  // namespace omnix::simulation
