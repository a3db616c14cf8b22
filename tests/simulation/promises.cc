#include "tests/simulation/promises.h"

#include <algorithm>

#include "common/json.h"
#include "orchestrator/core/evolve.h"
#include "orchestrator/core/names.h"

namespace omnix::simulation {

void Promises::Break(const std::string& promise, const std::string& how) {
  if (broken()) return;
  broken_ = promise + ": " + how;
  trace_.Add(scheduler_.now(), "BROKEN", "{}", broken_);
}

const v1::Incident* Promises::Find(const std::string& incident_id) const {
  const auto found = incidents_.find(incident_id);
  return found == incidents_.end() ? nullptr : &found->second;
}

const v1::Incident* Promises::HolderOf(const std::string& resource) const {
  const auto found = holders_.find(resource);
  return found == holders_.end() ? nullptr : Find(found->second);
}

void Promises::Taken(const Batch& batch, absl::Duration built_since, const Engine& engine) {
  expected_.clear();
  built_since_ = built_since;
  taken_at_ = scheduler_.now();
  std::set<std::string> touched;
  for (const auto& recorded : batch.events) touched.insert(recorded.event().incident_id());
  for (const auto& id : touched) {
    const v1::Incident* live = engine.FindOpen(id);
    if (live != nullptr) expected_.push_back({id, live->sequence(), SerializeDeterministically(*live)});
  }
}

void Promises::Kept(const Batch& batch) {
  pending_.Kept(batch, scheduler_.now());
  for (const auto& recorded : batch.events) {
    const v1::Event& event = recorded.event();
    v1::Incident& incident = incidents_[event.incident_id()];
    trace_.Add(scheduler_.now(), "journal", "{} #{} {}", event.incident_id(), event.sequence(), recorded.text());
    if (event.sequence() != incident.sequence() + 1) {
      Break("the journal has no gap",
            fmt::format("{} has event {} after event {}", event.incident_id(), event.sequence(), incident.sequence()));
    }
    CheckEvent(incident, event);
    Evolve(incident, event);
    Remember(event);
    ++event_counts_.at(static_cast<size_t>(event.kind_case()));
  }
  for (const auto& [id, fingerprint] : batch.repeated_alerts) ++alerts_kept_[{KinOf(id), fingerprint}];
  for (const auto& expected : expected_) {
    const v1::Incident& incident = incidents_[expected.incident_id];
    if (incident.sequence() == expected.sequence && SerializeDeterministically(incident) == expected.state) continue;
    Break("a replay gives the same state", fmt::format("{} at event {} is another in memory (event {})",
                                                       expected.incident_id, incident.sequence(), expected.sequence));
  }
  expected_.clear();
}

void Promises::AlertsAcknowledged(const std::vector<v1::Alert>& alerts, const std::vector<IngestedAlert>& results,
                                  absl::Duration sent_at) {
  const std::string promise = "an acknowledged alert is kept";
  if (alerts.size() != results.size()) return Break(promise, "not every alert of the request was answered");
  for (size_t i = 0; i < alerts.size(); ++i) {
    const std::string& fingerprint = alerts[i].fingerprint();
    if (results[i].pending) {
      pending_.Acknowledged(alerts[i], sent_at);
      continue;
    }
    if (results[i].incident_id.empty()) {
      // There must be nothing that it could clear: what was said of it last is not that it fires.
      const auto last = last_readings_.find(fingerprint);
      if (last != last_readings_.end() && last->second.fires && last->second.at < sent_at) {
        Break(promise,
              fmt::format("the clearing of {}, which {} has, was dropped", fingerprint, last->second.incident_id));
      }
      continue;
    }
    const std::pair<std::string, std::string> key(KinOf(results[i].incident_id), fingerprint);
    if (++alerts_acknowledged_[key] > alerts_kept_[key]) {
      Break(promise, fmt::format("{} of {} was acknowledged {} times, kept {} times", fingerprint, key.first,
                                 alerts_acknowledged_[key], alerts_kept_[key]));
    }
  }
}

void Promises::CommandAcknowledged(const std::string& by, const std::string& what) {
  if (!said_.contains("operator:" + by)) Break("an acknowledged command is kept", what + " of " + by + " is not");
}

void Promises::ResultAcknowledged(const std::string& agent, const v1::LeaseId& lease) {
  const v1::Incident* incident = Find(lease.incident_id());
  const v1::Task* task = incident == nullptr ? nullptr : FindTask(*incident, lease.task_id());
  if (task == nullptr || task->state() != v1::TASK_STATE_RUNNING || task->agent() != agent) return;
  if (task->attempt() != lease.attempt() || task->fencing_token() != lease.fencing_token()) return;
  Break("an acknowledged result is kept", fmt::format("{} of {}, attempt {}: {} may forget it, the journal lacks it",
                                                      task->id(), incident->id(), task->attempt(), agent));
}

void Promises::WorldChanges(const std::string& incident_id, const std::string& plan_hash,
                            const std::vector<std::string>& resources) {
  if (!granted_.contains({incident_id, plan_hash})) {
    Break("what was approved is what is applied", fmt::format("plan {} of {} has no approval", plan_hash, incident_id));
  }
  // After a restart omnixd does not know any more which cancelled attempts may still undo what they did; the agents'
  // own locks on their host keep them apart (a known limit).
  const auto released = released_.find(incident_id);
  if (released != released_.end() && released->second != recoveries_) return;
  for (const auto& resource : resources) {
    const auto holder = holders_.find(resource);
    if (holder != holders_.end() && holder->second != incident_id) {
      Break("no two incidents change the same resource",
            fmt::format("{} changes {}, which {} holds", incident_id, resource, holder->second));
    }
  }
}

void Promises::StepDone(const std::string& plan_hash, int count) {
  if (count > 1) {
    Break("an effect happens at most once per approval", fmt::format("plan {}: {} times", plan_hash, count));
  }
}

bool Promises::PlacesAreTakenByTasks(const v1::ListAgentsResponse& agents) const {
  std::map<std::string, uint32_t> running;
  for (const auto& [id, incident] : incidents_) {
    for (const auto& task : incident.tasks()) running[task.agent()] += task.state() == v1::TASK_STATE_RUNNING ? 1 : 0;
  }
  return std::all_of(agents.agents().begin(), agents.agents().end(), [&](const v1::AgentInfo& agent) {
    return !agent.connected() || agent.running() == running[agent.name()];
  });
}

void Promises::CheckWaiting(const Engine& engine) {
  v1::ListIncidentsResponse listed;
  for (const auto& [id, incident] : incidents_) {
    const v1::Incident* live = engine.FindOpen(id);
    if (live != nullptr && !IsClosed(live->phase())) listed.add_incidents()->set_id(id);
  }
  engine.DescribeWaiting(listed);
  for (const auto& summary : listed.incidents()) {
    if (!summary.waiting_for().empty()) continue;
    Break("an incident never waits silently",
          fmt::format("{} ({})", summary.id(), PhaseName(engine.FindOpen(summary.id())->phase())));
  }
}

void Promises::CheckReplay(const Engine& engine, Journal& journal) {
  const std::string promise = "a replay gives the same state";
  for (const auto& [id, incident] : incidents_) {
    const std::string known = SerializeDeterministically(incident);
    v1::Incident replayed;
    const auto events = journal.ReadEvents(id, 0, SIZE_MAX);
    if (!events.ok()) return Break(promise, id + " can't be read");
    for (const auto& recorded : *events) Evolve(replayed, recorded.event());
    if (SerializeDeterministically(replayed) != known) Break(promise, id + " from the journal");
    const v1::Incident* live = engine.FindOpen(id);
    if (live != nullptr && SerializeDeterministically(*live) != known) Break(promise, id + " in memory");
  }
  pending_.CheckJournal(journal);
  const size_t open = static_cast<size_t>(std::count_if(
      incidents_.begin(), incidents_.end(), [](const auto& entry) { return !IsClosed(entry.second.phase()); }));
  if (engine.open_incidents() != open) Break("nothing is lost", "an open incident is not known to the engine");
}

}  // namespace omnix::simulation
