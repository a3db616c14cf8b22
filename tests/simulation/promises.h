// What Omnix promises (docs/testing.md has the list), checked against what is durable: every event that the journal
// keeps is folded here once more, and everything that leaves, is acknowledged or changes the world is held against it.
// The first broken promise ends the run.
#pragma once

#include <omnix/v1/incident.pb.h>

#include <array>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "orchestrator/engine/engine.h"
#include "orchestrator/journal/journal.h"
#include "tests/simulation/pending_promises.h"
#include "tests/simulation/trace.h"
#include "tests/simulation/virtual_time.h"

namespace omnix::simulation {

// More than the highest field number of an event's kind.
inline constexpr size_t kEventKinds = 64;
using EventCounts = std::array<uint64_t, kEventKinds>;

class Promises {
 public:
  Promises(const Scheduler& scheduler, Trace& trace, absl::Duration budget, absl::Duration approval_timeout,
           std::optional<v1::Occurrences> occurrences)
      : scheduler_(scheduler),
        trace_(trace),
        budget_(budget),
        approval_timeout_(approval_timeout),
        pending_(std::move(occurrences),
                 [this](const std::string& promise, const std::string& how) { Break(promise, how); }) {}

  // Only the first one counts.
  void Break(const std::string& promise, const std::string& how);
  bool broken() const { return !broken_.empty(); }
  const std::string& what_broke() const { return broken_; }

  // The engine gave this transaction, built since then; its state must be what a replay gives once it is durable.
  void Taken(const Batch& batch, absl::Duration built_since, const Engine& engine);
  // The journal has it, whatever it said.
  void Kept(const Batch& batch);
  // Timers were made anew from wall-clock times.
  void EngineRecovered() { ++recoveries_; }

  // Acknowledged to whoever asked.
  void AlertsAcknowledged(const std::vector<v1::Alert>& alerts, const std::vector<IngestedAlert>& results,
                          absl::Duration sent_at);
  void CommandAcknowledged(const std::string& by, const std::string& what);
  void ResultAcknowledged(const std::string& agent, const v1::LeaseId& lease);

  // Something outside changes by this plan.
  void WorldChanges(const std::string& incident_id, const std::string& plan_hash,
                    const std::vector<std::string>& resources);
  // A step that must not happen twice was done for the count-th time.
  void StepDone(const std::string& plan_hash, int count);

  // No open incident waits for nothing.
  void CheckWaiting(const Engine& engine);
  // Where the wall clock does not jump: an alert's way takes `slack` at most.
  void CheckNoAlertIsOverdue(absl::Duration slack) { pending_.CheckNoneIsOverdue(slack); }
  // Memory, journal and this record are the same, byte for byte; every prefix of the journal was seen on the way.
  void CheckReplay(const Engine& engine, Journal& journal);

  // As the journal has them.
  const std::map<std::string, v1::Incident>& incidents() const { return incidents_; }
  const v1::Incident* Find(const std::string& incident_id) const;
  // Null where nobody holds it.
  const v1::Incident* HolderOf(const std::string& resource) const;
  // Each place at an agent that is taken is taken by a task that runs there; false where one is not.
  bool PlacesAreTakenByTasks(const v1::ListAgentsResponse& agents) const;
  const EventCounts& event_counts() const { return event_counts_; }

 private:
  struct TimerStart {
    absl::Duration at;
    uint64_t recoveries = 0;
  };
  // What was last said of an alert.
  struct Reading {
    std::string incident_id;
    bool fires = false;
    absl::Duration at;
  };
  struct Expected {
    std::string incident_id;
    uint64_t sequence = 0;
    std::string state;
  };

  // promises_events.cc: what the event must not do to the incident as it stands before it.
  void CheckEvent(const v1::Incident& before, const v1::Event& event);
  void CheckOpened(const v1::Event& event);
  void CheckAssigned(const v1::Incident& before, const v1::TaskAssigned& assigned);
  void CheckSucceeded(const v1::Incident& before, const v1::TaskSucceeded& succeeded);
  void CheckEvidence(const v1::Incident& before, const v1::EvidenceRecorded& recorded);
  void CheckLocked(const v1::Incident& before, const v1::ResourcesLocked& locked);
  void CheckDecision(const v1::Incident& before, const std::string& plan_hash, const std::string& by);
  void CheckTimer(const v1::Incident& before, const v1::Event& event);
  void NotBefore(const std::string& timer, absl::Duration length, const std::string& what);
  void Remember(const v1::Event& event);
  void RememberAlert(const std::string& incident_id, const v1::Alert& alert);

  const Scheduler& scheduler_;
  Trace& trace_;
  const absl::Duration budget_;
  const absl::Duration approval_timeout_;
  std::string broken_;
  PendingPromises pending_;

  std::map<std::string, v1::Incident> incidents_;
  // Resource to the incident that holds it.
  std::map<std::string, std::string> holders_;
  // When an incident let go of its locks: as recoveries_ was then.
  std::map<std::string, uint64_t> released_;
  // Who decided what, by the unique name that each of the simulation's commands has.
  std::set<std::string> said_;
  // Incident and plan hash.
  std::set<std::pair<std::string, std::string>> granted_;
  // Incidents whose alerts people moved between them count as one: the last word of an alert may be on its way
  // meanwhile.
  std::string KinOf(const std::string& incident_id) const;
  void JoinKin(const std::string& incident_id, const std::string& other_id);
  std::map<std::string, std::string> kin_;
  // How often an alert (kin and fingerprint) was kept, and acknowledged.
  std::map<std::pair<std::string, std::string>, uint64_t> alerts_kept_;
  // By fingerprint.
  std::map<std::string, Reading> last_readings_;
  std::map<std::pair<std::string, std::string>, uint64_t> alerts_acknowledged_;
  std::map<std::string, TimerStart> timers_;
  std::vector<Expected> expected_;
  absl::Duration built_since_;
  absl::Duration taken_at_;
  uint64_t recoveries_ = 0;
  EventCounts event_counts_{};
};

}  // namespace omnix::simulation
