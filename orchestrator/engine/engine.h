// The engine: owns all open incidents, decides what commands mean, and gives what must become durable before anything
// leaves.
//
// One thread at a time. It does no IO but reads of the journal (at start, and for closed incidents that come back). Its
// user calls the inputs, then takes the Transaction, makes it durable, and lets it out; while one is being written the
// next is being built (see EngineThread). A transaction that could not be written is followed by Forget() and, once the
// journal works again, Recover().
#pragma once

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/clock.h"
#include "orchestrator/core/command.h"
#include "orchestrator/core/effects.h"
#include "orchestrator/dispatch/agent_registry.h"
#include "orchestrator/engine/alert_index.h"
#include "orchestrator/engine/flap_tracker.h"
#include "orchestrator/engine/grouping_rules.h"
#include "orchestrator/engine/incident_timers.h"
#include "orchestrator/engine/join_index.h"
#include "orchestrator/engine/lock_table.h"
#include "orchestrator/engine/pending_alerts.h"
#include "orchestrator/engine/ports.h"
#include "orchestrator/engine/prior_incidents.h"
#include "orchestrator/engine/run_by.h"
#include "orchestrator/engine/transaction.h"
#include "orchestrator/journal/journal.h"

namespace omnix {

struct EngineOptions {
  std::string version;
  // Versions of what the program stands on, for GetStatus.
  std::map<std::string, std::string> dependencies;
  absl::Duration heartbeat_interval = absl::Seconds(2);
  // A silent agent loses its leases after this.
  absl::Duration lease_duration = absl::Seconds(10);
  // So many incidents that wait for people alone are kept in memory whole; of further ones only what wakes them (their
  // alerts, timers and locks) is kept, and the rest is read back from the journal once they are touched.
  size_t max_idle_incidents = 128;
};

class Engine {
 public:
  Engine(EngineOptions options, Configuration configuration, Journal& journal, const Clock& clock);

  // Reads all open incidents from the journal and carries on where they stand. Errors: the journal's.
  absl::Status Recover();

  // Drops everything in memory and refuses what comes, with `why`, until Recover() succeeds. Connected agents are sent
  // away; they come back by themselves.
  void Forget(const absl::Status& why);

  // Inputs; what they mean is in the next transaction.
  void AgentConnected(std::shared_ptr<AgentSession> session, v1::Hello hello);
  void AgentItems(const std::shared_ptr<AgentSession>& session, std::vector<v1::AgentItem> items);
  void AgentDisconnected(const std::shared_ptr<AgentSession>& session, const std::string& reason);
  void IngestAlerts(std::vector<v1::Alert> alerts, Callback<std::vector<IngestedAlert>> done);
  void OpenIncident(v1::OpenIncidentRequest request, Callback<v1::OpenIncidentResponse> done);
  void CommandIncident(v1::CommandIncidentRequest request, Callback<v1::CommandIncidentResponse> done);
  void ListAgents(Callback<v1::ListAgentsResponse> done);
  void DrainAgent(const v1::DrainAgentRequest& request, Callback<v1::DrainAgentResponse> done);
  void GetStatus(Callback<v1::GetStatusResponse> done);
  void Watch(v1::WatchIncidentRequest request, std::shared_ptr<WatchSink> sink);

  // Answers for an open incident; false where the incident is not open (its events are in the journal, or it does not
  // exist).
  bool GetOpenIncident(const std::string& incident_id, Callback<v1::GetIncidentResponse> done);
  // Fills `waiting_for` of the open incidents among these.
  void DescribeWaiting(v1::ListIncidentsResponse& response) const;
  // "INC-..., INC-... are open" or "no incident is open": for the error of an unknown incident.
  std::string OpenIncidentsForPeople() const;

  // Fires what is due.
  void Tick();
  // Monotonic time of the next Tick that does something.
  absl::Duration NextTick() const;

  // A transaction is taken only once the one before is durable.
  bool HasTransaction() const { return !transaction_.empty(); }
  Transaction TakeTransaction();

  size_t open_incidents() const { return live_.size() + parked_.size(); }
  size_t parked_incidents() const { return parked_.size(); }
  // Null where it is not open, or parked. For tests and invariants.
  const v1::Incident* FindOpen(const std::string& incident_id) const;

 private:
  struct Live {
    v1::Incident state;
    std::shared_ptr<const RunBy> run_by;
    // Ready tasks that are in a dispatch queue.
    std::set<std::string> queued_tasks;
    // Agents that answered the roll call.
    std::set<std::string> prepared_agents;
    bool roll_call_sent = false;
    // Number of the transaction with its last event; 0: read from the journal.
    uint64_t changed_in = 0;
    // Its place in idle_, where it waits for people alone.
    std::optional<std::list<Live*>::iterator> idle;
  };
  // An open incident that is not in memory.
  struct Parked {
    // What it waits for, as in v1::IncidentSummary.
    std::string waiting_for;
  };
  // An incident has let go of its locks while cancelled attempts may still change something: an agent takes back what
  // it had begun. The locks stay until the agents have stopped, at the longest until then (monotonic).
  struct Lingering {
    std::set<LeaseKey> leases;
    absl::Duration until;
  };
  struct QueuedTask {
    std::string incident_id;
    std::string task_id;
  };

  // engine.cc
  absl::Status Run(Live& live, Command command);
  void Record(Live& live, std::vector<v1::Event> events);
  void Settle(const std::string& incident_id);
  bool ApplyImmediateEffects(Live& live, const Effects& effects);
  void CloseIfEnded(const std::string& incident_id);
  void Send(const std::shared_ptr<AgentSession>& session, v1::OrchestratorItem item);
  absl::StatusOr<Live*> FindOrLoad(const std::string& incident_id);
  Live* FindLive(const std::string& incident_id);
  v1::IncidentSummary Summarize(const v1::Incident& incident) const;
  void Fire(const std::string& incident_id, const Timer& timer);

  // engine_locks.cc
  void GrantLocks();
  void UpdateLocks(const v1::Incident& incident);
  void StopLingering(const LeaseKey& lease);
  void ExpireLingering();

  // engine_parking.cc
  absl::StatusOr<Live*> Load(const std::string& incident_id);
  // An open incident, read back where it is parked; null where it is not open.
  absl::StatusOr<Live*> FindOrUnpark(const std::string& incident_id);
  void SetIdle(Live& live, bool idle);
  // Where `states` is given, what leaves memory goes there.
  void ParkIdle(std::vector<v1::Incident>* states = nullptr);

  // engine_recover.cc
  absl::Status Resume(v1::Incident state);

  // engine_alerts.cc
  absl::StatusOr<std::string> Open(std::string title, v1::Severity severity, std::vector<v1::Alert> alerts,
                                   const std::string& by, const std::string& split_from = "",
                                   const std::optional<command::Flap>& flap = std::nullopt);
  const v1::Playbook& PlaybookFor(const std::string& title, const std::vector<v1::Alert>& alerts) const;
  // `touched` gets the incidents that must settle.
  absl::StatusOr<IngestedAlert> Ingest(v1::Alert alert, std::set<std::string>& touched);
  absl::Status Attach(Live& live, v1::Alert alert, const std::optional<command::Flap>& flap);
  // An incident that was read back, or opened: those of its alerts that no other has can be found.
  absl::Status IndexAlerts(const Live& live);
  absl::Status IndexEndedAlerts();
  // How often alerts changed before the start, as far as the journal's last events tell.
  absl::Status RecountFlaps();
  absl::Status ReclaimAlerts(const Live& live);

  // engine_new_alerts.cc
  absl::StatusOr<IngestedAlert> IngestNew(v1::Alert alert, std::set<std::string>& touched);
  absl::StatusOr<IngestedAlert> IngestCleared(v1::Alert alert, std::set<std::string>& touched);
  // The alert changed between firing and resolved, and does so too often.
  std::optional<command::Flap> Flaps(const v1::Alert& alert, const GroupingRule& rule);
  // True where the ended incident is open again.
  absl::StatusOr<bool> ReopenFor(const v1::Alert& alert, const std::string& ended_id, const GroupingRule& rule);
  // The alerts that open an incident now; none: this one waits.
  std::vector<PendingAlerts::Taken> AlertsToOpen(v1::Alert alert, const GroupingRule& rule);
  absl::StatusOr<IngestedAlert> OpenFor(std::vector<PendingAlerts::Taken> taken,
                                        const std::optional<command::Flap>& flap, std::set<std::string>& touched);
  // What an alert counted while it waited, beside the reading that its incident begins with.
  void CountOccurrences(const std::string& id, const std::string& fingerprint, uint32_t occurrences);

  // engine_moves.cc
  absl::Status Merge(const v1::CommandIncidentRequest& request, const std::string& by);
  // Gives the id of the incident that it opens.
  absl::StatusOr<std::string> Split(const v1::CommandIncidentRequest& request, const std::string& by);
  absl::StatusOr<std::vector<v1::Alert>> AlertsToSplit(const Live& live, const std::set<std::string>& fingerprints);
  // What repeats them in the transaction that is built counts where they are now. No fingerprints: all of them.
  void MoveRepeats(const std::string& from, const std::string& to, const std::set<std::string>& fingerprints);
  // Carries out either, and answers.
  void MoveAlerts(const v1::CommandIncidentRequest& request, Callback<v1::CommandIncidentResponse> done);

  // engine_grouping.cc
  void OpenToAlerts(const Live& live);
  absl::Status NoteLate(const std::string& incident_id, const std::string& ended_id, std::set<std::string>& touched);
  void NameSuspects(Live& live);

  // engine_alerts.cc
  absl::StatusOr<std::string> NextIncidentId();

  // engine_dispatch.cc
  void Enqueue(Live& live, const std::string& task_id);
  void DispatchAll();
  bool Dispatch(const QueuedTask& queued);
  void RollCall(Live& live, const std::vector<std::string>& task_types);
  void AnswerRollCallIfComplete(Live& live);
  void AnswerRollCall(Live& live);
  void PrepareAgent(RegisteredAgent& agent, const Live& live);
  void AdoptLeases(RegisteredAgent& agent, const v1::Hello& hello);
  void RecordStaleWorker(const RegisteredAgent& agent, const v1::LeaseId& lease);
  void LoseLeases(RegisteredAgent& agent, const std::set<LeaseKey>& leases, const std::string& reason);
  void ReleaseLease(RegisteredAgent& agent, const LeaseKey& lease);
  void SendCancel(const v1::Task& task, const std::string& incident_id, const std::string& reason);
  void SendDrain(RegisteredAgent& agent, const std::string& reason);
  void SendCancel(const RegisteredAgent& agent, const v1::LeaseId& lease, const std::string& reason);
  void ExpireSilentAgents();

  // engine_link.cc
  absl::Status HandleItem(RegisteredAgent& agent, v1::AgentItem item);
  void HandleHeartbeat(RegisteredAgent& agent, const v1::Heartbeat& heartbeat);
  void HandlePrepared(RegisteredAgent& agent, const v1::Prepared& prepared);
  void HandleProgress(RegisteredAgent& agent, const v1::Progress& progress);
  absl::Status HandleEvidence(RegisteredAgent& agent, v1::EvidenceFound found);
  absl::Status HandleResult(RegisteredAgent& agent, v1::Result result);
  absl::Status CheckLease(const RegisteredAgent& agent, const v1::LeaseId& lease) const;
  void SendAway(RegisteredAgent& agent, const absl::Status& why);

  // engine_waiting.cc
  std::vector<v1::Waiting> WaitingOf(const Live& live) const;
  std::string WaitingForAgent(const v1::Task& task) const;

  const EngineOptions options_;
  const Configuration configuration_;
  const GroupingRules grouping_;
  Journal& journal_;
  const Clock& clock_;
  const absl::Time started_at_;

  absl::Status refusing_;
  size_t open_when_refused_ = 0;
  std::map<std::string, Live> live_;
  // The rest of the open incidents.
  std::map<std::string, Parked> parked_;
  // Live ones that wait for people alone, the longest untouched first.
  std::list<Live*> idle_;
  // Closed by the transaction being built, and by the one being written.
  std::map<std::string, Live> closing_;
  std::map<std::string, Live> closed_in_write_;
  AlertIndex alerts_;
  JoinIndex joins_;
  FlapTracker flaps_;
  PendingAlerts pending_;
  AgentRegistry registry_;
  std::map<std::string, std::deque<QueuedTask>> queues_;
  std::set<std::string> dirty_types_;
  IncidentTimers timers_;
  LockTable locks_;
  std::map<std::string, Lingering> lingering_;
  RunByCache run_by_;
  PriorIncidents prior_;
  // Highest number given to an incident of a UTC day; the journal may not have it yet.
  std::map<std::string, uint32_t> day_counters_;
  // The UTC day of the last one ("2025-09-04").
  std::string today_;
  absl::Time today_begins_ = absl::InfiniteFuture();
  Transaction transaction_;
  // Of the transaction that is being built. The former ones are durable once it is taken.
  uint64_t transaction_number_ = 1;
  // Where in the transaction the latest progress of a lease is.
  std::map<LeaseKey, size_t> progress_at_;
  // Where in transaction_.sends a session's items are.
  std::unordered_map<const AgentSession*, size_t> send_places_;
  // Nobody's silence can be too long before this (monotonic): to look at all agents at each input would make each input
  // dearer with each agent.
  absl::Duration silence_check_at_ = -absl::InfiniteDuration();
};

}  // namespace omnix
