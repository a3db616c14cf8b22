// Keeps the tables that people query up to date: computed from each event alone, in the transaction that keeps it.
#pragma once

#include <omnix/v1/event.pb.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "orchestrator/journal/column_text.h"
#include "orchestrator/journal/sqlite_connection.h"

namespace omnix {

// What the row of an incident begins with that was opened in this transaction.
struct NewIncidentRow {
  std::string id, title, opened_at, opened_by, playbook_hash, system_hash, policy_hash;
  std::optional<std::string> started_at, budget_until;
  v1::Severity severity = v1::SEVERITY_UNKNOWN;
  int alerts = 0;
  int firing = 0;
};

// Writes to the projection tables of one connection, inside the caller's transaction. Events of an incident come in
// order. Not thread-safe.
class Projector {
 public:
  explicit Projector(SqliteConnection& db) : db_(db) {}

  // The event with row number `id`, of the incident whose first event has row number `opened_event`. A task or incident
  // that the tables don't know changes nothing: the events are the truth, and are kept whatever the tables say.
  absl::Status Apply(int64_t id, int64_t opened_event, const v1::Event& event);

  // Writes what the events have changed in the rows of incidents and new tasks; before the transaction's end.
  absl::Status Flush();

  // Adds the repeats of alert_counts to the alerts' counts: the last step of a rebuild.
  absl::Status AddRepeats();

  // Forgets what Flush would write: after a rollback.
  void Discard();

 private:
  // A column that can be NULL, where it was changed.
  using Changed = std::optional<std::optional<std::string>>;
  struct Last {
    std::optional<NewIncidentRow> opened;
    uint64_t sequence = 0;
    std::string time;
    // Unset where no event of the transaction changed it.
    std::optional<v1::Phase> phase;
    std::optional<v1::Severity> severity;
    // Of the last event that says it; the alerts of those that don't are counted here.
    std::optional<v1::AlertCounts> counts;
    int64_t new_alerts = 0;
    // Rarer ones.
    bool has_details = false;
    Changed agents, cause, explanation, plan_hash, resources, resolved_at, ended_reason;
    std::optional<bool> paused, ended;
  };
  // A task that came in this transaction and may be assigned in it: its row is written once.
  struct NewTask {
    std::string incident;
    std::string id;
    std::string type;
    std::string state;
    std::optional<std::string> reason, agent, started_at, deadline;
    uint32_t attempt = 0;
    uint64_t fencing_token = 0;
  };
  // What every handler needs to know of the event.
  struct Context {
    int64_t id;
    int64_t opened_event;
    const std::string& incident;
    uint64_t sequence;
    const std::string& time;
  };

  absl::Status Opened(const Context& at, const v1::IncidentOpened& event);
  absl::Status Attached(const Context& at, const v1::AlertAttached& event);
  absl::Status Moved(const Context& at, const v1::AlertsMoved& event);
  void Counted(const Context& at, v1::Severity severity, const v1::AlertCounts& counts);
  absl::Status Entered(const Context& at, const v1::PhaseEntered& event);
  absl::Status Assigned(const Context& at, const v1::TaskAssigned& event);
  absl::Status TaskEnded(const Context& at, const std::string& task, v1::TaskState state, const std::string& reason);
  absl::Status Succeeded(const Context& at, const v1::TaskSucceeded& event);
  absl::Status AttemptFailed(const Context& at, const v1::AttemptFailed& event);
  absl::Status Late(const Context& at, const v1::LateResult& event);
  absl::Status Evidence(const Context& at, const v1::EvidenceRecorded& event);
  absl::Status Asked(const Context& at, const v1::ApprovalRequested& event);
  absl::Status Granted(const Context& at, const v1::ApprovalGranted& event);
  absl::Status Rejected(const Context& at, const v1::ApprovalRejected& event);
  absl::Status RecoveryEnded(const Context& at, const v1::RecoveryEnded& event);
  absl::Status RollbackAsked(const Context& at, const v1::RollbackRequested& event);
  void Resolved(const Context& at);
  absl::Status EndedWithout(const Context& at, v1::Phase phase, const std::string& reason);

  // The incident's row as it changes with this transaction.
  Last& Details(const Context& at);
  absl::Status WriteIncident(int64_t opened_event, const Last& last);
  absl::Status InsertIncident(int64_t opened_event, const Last& last);
  absl::Status UpdateIncident(int64_t opened_event, const Last& last);
  absl::Status AddTask(const Context& at, const v1::Task& task);
  NewTask* FindNewTask(const std::string& incident, const std::string& id);
  absl::Status WriteNewTasks();
  // True where the incident did not have it.
  absl::StatusOr<bool> PutAlert(const Context& at, const v1::Alert& alert);
  absl::Status AddPlan(const Context& at, const v1::Plan& plan);
  absl::Status SetActions(const Context& at, const std::string& plan_hash, const std::string& state);
  absl::Status Decide(const Context& at, const std::string& plan_hash, const std::string& state, const std::string& by,
                      const std::string& reason);
  absl::Status LapseApprovals(const Context& at);

  SqliteConnection& db_;
  // Of the event at hand: Context::time points into it, so nothing else may use it.
  TimeText event_times_;
  // Of times near the event's.
  TimeText times_;
  // Of deadlines, and of what alerts say: apart, so that they don't displace each other.
  TimeText deadlines_;
  TimeText given_times_;
  // By opened_event, the rows' order: new ones are added at the end of their table.
  std::map<int64_t, Last> touched_;
  std::vector<NewTask> new_tasks_;
};

}  // namespace omnix
