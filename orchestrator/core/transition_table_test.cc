// The state machine as a table: every state, every command, what follows or why it is refused. A change of the machine
// changes this table.
#include <gtest/gtest.h>

#include <functional>
#include <sstream>

#include "common/status.h"
#include "orchestrator/core/incident_fixture.h"
#include "orchestrator/core/names.h"

namespace omnix {
namespace {

using testing::Story;

struct NamedState {
  const char* name;
  std::function<Story()> make;
};

struct NamedCommand {
  const char* name;
  std::function<Command(const Story&)> make;
};

v1::Alert AlertWith(v1::AlertStatus status, const std::string& fingerprint) {
  v1::Alert alert = testing::OpenCommand().alerts[0];
  alert.set_status(status);
  alert.set_fingerprint(fingerprint);
  return alert;
}

std::vector<NamedState> States() {
  return {{"(unopened)", [] { return Story(); }},
          {"Mobilizing", testing::Mobilizing},
          {"Investigating, nobody assigned", [] { return testing::Mobilizing().Do(command::AnswerRollCall{}); }},
          {"Investigating", testing::Investigating},
          {"Investigating, paused", testing::PausedInvestigating},
          {"Investigating, one of two alerts flaps",
           [] {
             return testing::Investigating()
                 .Do(command::AttachAlert{AlertWith(v1::ALERT_STATUS_FIRING, "f1"), std::nullopt,
                                          command::Flap{7, absl::Minutes(10), absl::Minutes(5)}})
                 .Do(command::AttachAlert{AlertWith(v1::ALERT_STATUS_RESOLVED, "f1")})
                 .Do(command::AttachAlert{AlertWith(v1::ALERT_STATUS_RESOLVED, "f2")});
           }},
          {"Recovering, planning", [] { return testing::Planning(); }},
          {"Recovering, planned", testing::Planned},
          {"Recovering, approval asked", testing::AwaitingApproval},
          {"Recovering, approved", testing::Approved},
          {"Recovering, applying", testing::Applying},
          {"Validating", testing::Validating},
          {"Validating, rolling back", testing::RollingBack},
          {"Documenting", testing::Documenting},
          {"Resolved", testing::Resolved},
          {"Escalated", testing::Escalated},
          {"Escalated, change in effect", testing::EscalatedInEffect},
          {"Escalated, rolling back", testing::EscalatedRollingBack},
          {"Cancelled", testing::Cancelled},
          {"Cancelled, change in effect", [] {
             return testing::Validating().Do(command::Cancel{"operator:alice", ""});
           }}};
}

command::FinishTask Answer(const Story& story, v1::Outcome outcome, v1::Product product = {}) {
  return {story.Lease(story.RunningTask()), "agent-a", outcome, std::move(product), "it failed"};
}

// What the running task would give when all goes well, or when it does not.
v1::Product ProductFor(const Story& story, bool good) {
  const std::string task = story.RunningTask();
  if (task.ends_with("/diagnose"))
    return testing::DiagnosisOf(good ? std::vector<std::string>{"x1"} : std::vector<std::string>{});
  if (task.ends_with("/plan")) return testing::PlanOf(good ? "hash1" : "");
  if (task.ends_with("/apply")) return testing::ApplicationOf("hash1", good);
  if (task.ends_with("/validate")) return testing::VerdictOf(good);
  if (task.ends_with("/rollback")) return testing::RollbackOf("hash1", good);
  return testing::DocumentOf();
}

std::vector<NamedCommand> Commands() {
  return {
      {"Open", [](const Story&) { return testing::OpenCommand(); }},
      {"AttachAlert firing",
       [](const Story&) { return command::AttachAlert{AlertWith(v1::ALERT_STATUS_FIRING, "f2")}; }},
      {"AttachAlert cleared",
       [](const Story&) { return command::AttachAlert{AlertWith(v1::ALERT_STATUS_RESOLVED, "f1")}; }},
      {"AttachAlert flapping",
       [](const Story&) {
         return command::AttachAlert{AlertWith(v1::ALERT_STATUS_RESOLVED, "f1"), std::nullopt,
                                     command::Flap{7, absl::Minutes(10), absl::Minutes(5)}};
       }},
      {"SettleAlert", [](const Story&) { return command::SettleAlert{"f1"}; }},
      {"Reopen", [](const Story&) { return command::Reopen{"an alert of it fires again"}; }},
      {"TakeAlerts",
       [](const Story&) { return TakeAllOf(testing::Mobilizing().incident, "operator:alice", "one cause"); }},
      {"MergeInto",
       [](const Story&) {
         return command::MergeInto{"INC-2", "operator:alice", "one cause"};
       }},
      {"SplitOff",
       [](const Story&) {
         v1::AlertKey key;
         key.set_fingerprint("f1");
         key.set_status(v1::ALERT_STATUS_RESOLVED);
         return command::SplitOff{"INC-2", {key}, "operator:alice", "another cause"};
       }},
      {"NameSuspects", [](const Story&) { return command::NameSuspects{}; }},
      {"AnswerRollCall", [](const Story&) { return command::AnswerRollCall{}; }},
      {"AssignTask",
       [](const Story& s) {
         return command::AssignTask{s.ReadyTask(), "agent-a", "{}"};
       }},
      {"SkipTask",
       [](const Story& s) {
         return command::SkipTask{s.ReadyTask(), "not needed"};
       }},
      {"FinishTask good", [](const Story& s) { return Answer(s, v1::OUTCOME_SUCCEEDED, ProductFor(s, true)); }},
      {"FinishTask bad", [](const Story& s) { return Answer(s, v1::OUTCOME_SUCCEEDED, ProductFor(s, false)); }},
      {"FinishTask failed", [](const Story& s) { return Answer(s, v1::OUTCOME_FAILED); }},
      {"FinishTask failed finally", [](const Story& s) { return Answer(s, v1::OUTCOME_FAILED_FINALLY); }},
      {"FinishTask other lease",
       [](const Story& s) {
         auto finish = Answer(s, v1::OUTCOME_SUCCEEDED);
         finish.lease.set_fencing_token(999);
         return finish;
       }},
      {"LoseAttempt",
       [](const Story& s) {
         return command::LoseAttempt{s.RunningTask(), 1, "agent lost"};
       }},
      {"RecordEvidence",
       [](const Story& s) {
         return command::RecordEvidence{s.Lease(s.RunningTask()), {v1::Evidence()}};
       }},
      {"DecidePolicy auto",
       [](const Story&) {
         return command::DecidePolicy{"hash1", v1::POLICY_DECISION_AUTO, "low", ""};
       }},
      {"DecidePolicy ask",
       [](const Story&) {
         return command::DecidePolicy{"hash1", v1::POLICY_DECISION_ASK, "ask", ""};
       }},
      {"DecidePolicy forbid",
       [](const Story&) {
         return command::DecidePolicy{"hash1", v1::POLICY_DECISION_FORBID, "no", ""};
       }},
      {"LockResources", [](const Story&) { return command::LockResources{}; }},
      {"ExpireApproval", [](const Story&) { return command::ExpireApproval{"hash1"}; }},
      {"ExpireBudget", [](const Story&) { return command::ExpireBudget{}; }},
      {"Approve",
       [](const Story&) {
         return command::Approve{"hash1", "operator:bob", ""};
       }},
      {"Approve other plan",
       [](const Story&) {
         return command::Approve{"hash2", "operator:bob", ""};
       }},
      {"Reject",
       [](const Story&) {
         return command::Reject{"hash1", "operator:bob", ""};
       }},
      {"Choose",
       [](const Story&) {
         return command::Choose{"x2", "operator:bob"};
       }},
      {"Choose unknown",
       [](const Story&) {
         return command::Choose{"x9", "operator:bob"};
       }},
      {"Pause",
       [](const Story&) {
         return command::Pause{"operator:bob", ""};
       }},
      {"Resume",
       [](const Story&) {
         return command::Resume{"operator:bob", ""};
       }},
      {"Cancel",
       [](const Story&) {
         return command::Cancel{"operator:bob", ""};
       }},
      {"Escalate",
       [](const Story&) {
         return command::Escalate{"operator:bob", ""};
       }},
      {"AddNote",
       [](const Story&) {
         return command::AddNote{"operator:bob", "seen"};
       }},
      {"AddNote empty",
       [](const Story&) {
         return command::AddNote{"operator:bob", ""};
       }},
      {"RequestRollback",
       [](const Story&) {
         return command::RequestRollback{"operator:bob", ""};
       }},
  };
}

std::string KindName(const v1::Event& event) {
  const auto* field = v1::Event::descriptor()->FindFieldByNumber(event.kind_case());
  std::string name = field->message_type()->name();
  if (event.has_phase_entered()) name += "(" + PhaseName(event.phase_entered().phase()) + ")";
  return name;
}

std::string Table() {
  std::ostringstream out;
  for (const auto& state : States()) {
    out << "\n" << state.name << "\n";
    std::map<std::string, std::string> refused;
    for (const auto& command : Commands()) {
      Story story = state.make();
      const std::string before = story.incident.SerializeAsString();
      const auto decided = story.Try(command.make(story));
      if (!decided.ok()) {
        EXPECT_EQ(before, story.incident.SerializeAsString())
            << state.name << ": refused " << command.name << " left a trace";
        auto& names = refused[absl::StatusCodeToString(decided.status().code())];
        names += (names.empty() ? "" : ", ") + std::string(command.name);
        continue;
      }
      out << "  " << command.name << ":";
      for (const auto& event : *decided) out << " " << KindName(event);
      if (decided->empty()) out << " (recorded already)";
      out << "\n";
    }
    for (const auto& [code, names] : refused) out << "  refused " << code << ": " << names << "\n";
  }
  return out.str();
}

constexpr char kExpected[] = R"table(
(unopened)
  Open: IncidentOpened PhaseEntered(Mobilizing)
  refused FAILED_PRECONDITION: AttachAlert firing, AttachAlert cleared, AttachAlert flapping, SettleAlert, Reopen, TakeAlerts, MergeInto, SplitOff, NameSuspects, AnswerRollCall, AssignTask, SkipTask, FinishTask good, FinishTask bad, FinishTask failed, FinishTask failed finally, FinishTask other lease, LoseAttempt, RecordEvidence, DecidePolicy auto, DecidePolicy ask, DecidePolicy forbid, LockResources, ExpireApproval, ExpireBudget, Approve, Approve other plan, Reject, Choose, Choose unknown, Pause, Resume, Cancel, Escalate, AddNote, AddNote empty, RequestRollback

Mobilizing
  AttachAlert firing: AlertAttached
  AttachAlert cleared: AlertAttached PhaseEntered(Validating)
  AttachAlert flapping: AlertAttached AlertFlapping
  TakeAlerts: AlertsTaken
  MergeInto: AlertsMoved IncidentCancelled
  NameSuspects: SuspectsNamed
  AnswerRollCall: AgentsMobilized PhaseEntered(Investigating)
  ExpireBudget: IncidentEscalated
  Pause: Paused
  Cancel: IncidentCancelled
  Escalate: IncidentEscalated
  AddNote: NoteAdded
  refused ALREADY_EXISTS: Open
  refused FAILED_PRECONDITION: Reopen, SplitOff, DecidePolicy auto, DecidePolicy ask, DecidePolicy forbid, LockResources, ExpireApproval, Approve, Approve other plan, Reject, Resume, RequestRollback
  refused INVALID_ARGUMENT: AddNote empty
  refused NOT_FOUND: SettleAlert, AssignTask, SkipTask, FinishTask good, FinishTask bad, FinishTask failed, FinishTask failed finally, FinishTask other lease, LoseAttempt, RecordEvidence, Choose, Choose unknown

Investigating, nobody assigned
  AttachAlert firing: AlertAttached
  AttachAlert cleared: AlertAttached TaskCancelled PhaseEntered(Validating)
  AttachAlert flapping: AlertAttached AlertFlapping
  TakeAlerts: AlertsTaken
  MergeInto: TaskCancelled AlertsMoved IncidentCancelled
  NameSuspects: SuspectsNamed
  AssignTask: TaskAssigned
  SkipTask: TaskSkipped PhaseEntered(Recovering)
  ExpireBudget: TaskCancelled IncidentEscalated
  Pause: Paused
  Cancel: TaskCancelled IncidentCancelled
  Escalate: TaskCancelled IncidentEscalated
  AddNote: NoteAdded
  refused ALREADY_EXISTS: Open
  refused FAILED_PRECONDITION: Reopen, SplitOff, AnswerRollCall, DecidePolicy auto, DecidePolicy ask, DecidePolicy forbid, LockResources, ExpireApproval, Approve, Approve other plan, Reject, Resume, RequestRollback
  refused INVALID_ARGUMENT: AddNote empty
  refused NOT_FOUND: SettleAlert, FinishTask good, FinishTask bad, FinishTask failed, FinishTask failed finally, FinishTask other lease, LoseAttempt, RecordEvidence, Choose, Choose unknown

Investigating
  AttachAlert firing: AlertAttached
  AttachAlert cleared: AlertAttached TaskCancelled PhaseEntered(Validating)
  AttachAlert flapping: AlertAttached AlertFlapping
  TakeAlerts: AlertsTaken
  MergeInto: TaskCancelled AlertsMoved IncidentCancelled
  NameSuspects: SuspectsNamed
  FinishTask good: TaskSucceeded ExplanationChosen PhaseEntered(Recovering)
  FinishTask bad: TaskSucceeded IncidentEscalated
  FinishTask failed: AttemptFailed
  FinishTask failed finally: TaskFailed IncidentEscalated
  FinishTask other lease: LateResult
  LoseAttempt: AttemptFailed
  RecordEvidence: EvidenceRecorded
  ExpireBudget: TaskCancelled IncidentEscalated
  Pause: Paused
  Cancel: TaskCancelled IncidentCancelled
  Escalate: TaskCancelled IncidentEscalated
  AddNote: NoteAdded
  refused ALREADY_EXISTS: Open
  refused FAILED_PRECONDITION: Reopen, SplitOff, AnswerRollCall, DecidePolicy auto, DecidePolicy ask, DecidePolicy forbid, LockResources, ExpireApproval, Approve, Approve other plan, Reject, Resume, RequestRollback
  refused INVALID_ARGUMENT: AddNote empty
  refused NOT_FOUND: SettleAlert, AssignTask, SkipTask, Choose, Choose unknown

Investigating, paused
  AttachAlert firing: AlertAttached
  AttachAlert cleared: AlertAttached
  AttachAlert flapping: AlertAttached AlertFlapping
  TakeAlerts: AlertsTaken
  MergeInto: TaskCancelled AlertsMoved IncidentCancelled
  NameSuspects: SuspectsNamed
  FinishTask good: TaskSucceeded ExplanationChosen PhaseEntered(Recovering)
  FinishTask bad: TaskSucceeded IncidentEscalated
  FinishTask failed: AttemptFailed
  FinishTask failed finally: TaskFailed IncidentEscalated
  FinishTask other lease: LateResult
  LoseAttempt: AttemptFailed
  RecordEvidence: EvidenceRecorded
  ExpireBudget: TaskCancelled IncidentEscalated
  Resume: Resumed
  Cancel: TaskCancelled IncidentCancelled
  Escalate: TaskCancelled IncidentEscalated
  AddNote: NoteAdded
  refused ALREADY_EXISTS: Open
  refused FAILED_PRECONDITION: Reopen, SplitOff, AnswerRollCall, DecidePolicy auto, DecidePolicy ask, DecidePolicy forbid, LockResources, ExpireApproval, Approve, Approve other plan, Reject, Pause, RequestRollback
  refused INVALID_ARGUMENT: AddNote empty
  refused NOT_FOUND: SettleAlert, AssignTask, SkipTask, Choose, Choose unknown

Investigating, one of two alerts flaps
  AttachAlert firing: AlertAttached
  AttachAlert cleared: AlertAttached
  AttachAlert flapping: AlertAttached
  SettleAlert: AlertSettled TaskCancelled PhaseEntered(Validating)
  TakeAlerts: AlertsTaken
  MergeInto: TaskCancelled AlertsMoved IncidentCancelled
  SplitOff: AlertSettled AlertsMoved TaskCancelled PhaseEntered(Validating)
  NameSuspects: SuspectsNamed
  FinishTask good: TaskSucceeded ExplanationChosen PhaseEntered(Recovering)
  FinishTask bad: TaskSucceeded IncidentEscalated
  FinishTask failed: AttemptFailed
  FinishTask failed finally: TaskFailed IncidentEscalated
  FinishTask other lease: LateResult
  LoseAttempt: AttemptFailed
  RecordEvidence: EvidenceRecorded
  ExpireBudget: TaskCancelled IncidentEscalated
  Pause: Paused
  Cancel: TaskCancelled IncidentCancelled
  Escalate: TaskCancelled IncidentEscalated
  AddNote: NoteAdded
  refused ALREADY_EXISTS: Open
  refused FAILED_PRECONDITION: Reopen, AnswerRollCall, DecidePolicy auto, DecidePolicy ask, DecidePolicy forbid, LockResources, ExpireApproval, Approve, Approve other plan, Reject, Resume, RequestRollback
  refused INVALID_ARGUMENT: AddNote empty
  refused NOT_FOUND: AssignTask, SkipTask, Choose, Choose unknown

Recovering, planning
  AttachAlert firing: AlertAttached
  AttachAlert cleared: AlertAttached
  AttachAlert flapping: AlertAttached AlertFlapping
  TakeAlerts: AlertsTaken
  MergeInto: TaskCancelled TaskCancelled AlertsMoved IncidentCancelled
  NameSuspects: SuspectsNamed
  FinishTask good: TaskSucceeded
  FinishTask bad: TaskFailed TaskSkipped RecoveryEnded ExplanationChosen PhaseEntered(Recovering)
  FinishTask failed: AttemptFailed
  FinishTask failed finally: TaskFailed TaskSkipped RecoveryEnded ExplanationChosen PhaseEntered(Recovering)
  FinishTask other lease: LateResult
  LoseAttempt: AttemptFailed
  RecordEvidence: EvidenceRecorded
  ExpireBudget: TaskCancelled TaskCancelled RecoveryEnded IncidentEscalated
  Choose: TaskCancelled TaskCancelled RecoveryEnded ExplanationChosen PhaseEntered(Recovering)
  Pause: Paused
  Cancel: TaskCancelled TaskCancelled IncidentCancelled
  Escalate: TaskCancelled TaskCancelled RecoveryEnded IncidentEscalated
  AddNote: NoteAdded
  refused ALREADY_EXISTS: Open
  refused FAILED_PRECONDITION: Reopen, SplitOff, AnswerRollCall, DecidePolicy auto, DecidePolicy ask, DecidePolicy forbid, LockResources, ExpireApproval, Approve, Approve other plan, Reject, Resume, RequestRollback
  refused INVALID_ARGUMENT: AddNote empty
  refused NOT_FOUND: SettleAlert, AssignTask, SkipTask, Choose unknown

Recovering, planned
  AttachAlert firing: AlertAttached
  AttachAlert cleared: AlertAttached
  AttachAlert flapping: AlertAttached AlertFlapping
  TakeAlerts: AlertsTaken
  MergeInto: TaskCancelled AlertsMoved IncidentCancelled
  NameSuspects: SuspectsNamed
  DecidePolicy auto: ApprovalGranted
  DecidePolicy ask: ApprovalRequested
  DecidePolicy forbid: ApprovalRejected RecoveryEnded TaskCancelled IncidentEscalated
  ExpireApproval: ApprovalRejected RecoveryEnded TaskCancelled IncidentEscalated
  ExpireBudget: TaskCancelled RecoveryEnded IncidentEscalated
  Approve: ApprovalGranted
  Reject: ApprovalRejected TaskCancelled RecoveryEnded ExplanationChosen PhaseEntered(Recovering)
  Choose: TaskCancelled RecoveryEnded ExplanationChosen PhaseEntered(Recovering)
  Pause: Paused
  Cancel: TaskCancelled IncidentCancelled
  Escalate: TaskCancelled RecoveryEnded IncidentEscalated
  AddNote: NoteAdded
  refused ALREADY_EXISTS: Open
  refused FAILED_PRECONDITION: Reopen, SplitOff, AnswerRollCall, LockResources, Approve other plan, Resume, RequestRollback
  refused INVALID_ARGUMENT: AddNote empty
  refused NOT_FOUND: SettleAlert, AssignTask, SkipTask, FinishTask good, FinishTask bad, FinishTask failed, FinishTask failed finally, FinishTask other lease, LoseAttempt, RecordEvidence, Choose unknown

Recovering, approval asked
  AttachAlert firing: AlertAttached
  AttachAlert cleared: AlertAttached
  AttachAlert flapping: AlertAttached AlertFlapping
  TakeAlerts: AlertsTaken
  MergeInto: TaskCancelled AlertsMoved IncidentCancelled
  NameSuspects: SuspectsNamed
  ExpireApproval: ApprovalRejected RecoveryEnded TaskCancelled IncidentEscalated
  ExpireBudget: TaskCancelled RecoveryEnded IncidentEscalated
  Approve: ApprovalGranted
  Reject: ApprovalRejected TaskCancelled RecoveryEnded ExplanationChosen PhaseEntered(Recovering)
  Choose: TaskCancelled RecoveryEnded ExplanationChosen PhaseEntered(Recovering)
  Pause: Paused
  Cancel: TaskCancelled IncidentCancelled
  Escalate: TaskCancelled RecoveryEnded IncidentEscalated
  AddNote: NoteAdded
  refused ALREADY_EXISTS: Open
  refused FAILED_PRECONDITION: Reopen, SplitOff, AnswerRollCall, DecidePolicy auto, DecidePolicy ask, DecidePolicy forbid, LockResources, Approve other plan, Resume, RequestRollback
  refused INVALID_ARGUMENT: AddNote empty
  refused NOT_FOUND: SettleAlert, AssignTask, SkipTask, FinishTask good, FinishTask bad, FinishTask failed, FinishTask failed finally, FinishTask other lease, LoseAttempt, RecordEvidence, Choose unknown

Recovering, approved
  AttachAlert firing: AlertAttached
  AttachAlert cleared: AlertAttached
  AttachAlert flapping: AlertAttached AlertFlapping
  TakeAlerts: AlertsTaken
  MergeInto: TaskCancelled AlertsMoved IncidentCancelled
  NameSuspects: SuspectsNamed
  LockResources: ResourcesLocked
  ExpireBudget: TaskCancelled RecoveryEnded IncidentEscalated
  Choose: TaskCancelled RecoveryEnded ExplanationChosen PhaseEntered(Recovering)
  Pause: Paused
  Cancel: TaskCancelled IncidentCancelled
  Escalate: TaskCancelled RecoveryEnded IncidentEscalated
  AddNote: NoteAdded
  refused ALREADY_EXISTS: Open
  refused FAILED_PRECONDITION: Reopen, SplitOff, AnswerRollCall, DecidePolicy auto, DecidePolicy ask, DecidePolicy forbid, ExpireApproval, Approve, Approve other plan, Reject, Resume, RequestRollback
  refused INVALID_ARGUMENT: AddNote empty
  refused NOT_FOUND: SettleAlert, AssignTask, SkipTask, FinishTask good, FinishTask bad, FinishTask failed, FinishTask failed finally, FinishTask other lease, LoseAttempt, RecordEvidence, Choose unknown

Recovering, applying
  AttachAlert firing: AlertAttached
  AttachAlert cleared: AlertAttached
  AttachAlert flapping: AlertAttached AlertFlapping
  TakeAlerts: AlertsTaken
  NameSuspects: SuspectsNamed
  FinishTask good: TaskSucceeded PhaseEntered(Validating)
  FinishTask bad: TaskSucceeded RecoveryEnded ResourcesReleased ExplanationChosen PhaseEntered(Recovering)
  FinishTask failed: AttemptFailed
  FinishTask failed finally: TaskFailed RollbackRequested
  FinishTask other lease: LateResult
  LoseAttempt: AttemptFailed
  RecordEvidence: EvidenceRecorded
  ExpireBudget: TaskCancelled IncidentEscalated
  Pause: Paused
  Cancel: TaskCancelled ResourcesReleased IncidentCancelled
  Escalate: TaskCancelled IncidentEscalated
  AddNote: NoteAdded
  refused ALREADY_EXISTS: Open
  refused FAILED_PRECONDITION: Reopen, MergeInto, SplitOff, AnswerRollCall, DecidePolicy auto, DecidePolicy ask, DecidePolicy forbid, LockResources, ExpireApproval, Approve, Approve other plan, Reject, Choose, Resume, RequestRollback
  refused INVALID_ARGUMENT: AddNote empty
  refused NOT_FOUND: SettleAlert, AssignTask, SkipTask, Choose unknown

Validating
  AttachAlert firing: AlertAttached
  AttachAlert cleared: AlertAttached
  AttachAlert flapping: AlertAttached AlertFlapping
  TakeAlerts: AlertsTaken
  NameSuspects: SuspectsNamed
  FinishTask good: TaskSucceeded RecoveryEnded ResourcesReleased PhaseEntered(Documenting)
  FinishTask bad: TaskSucceeded RollbackRequested
  FinishTask failed: AttemptFailed
  FinishTask failed finally: TaskFailed RollbackRequested
  FinishTask other lease: LateResult
  LoseAttempt: AttemptFailed
  RecordEvidence: EvidenceRecorded
  ExpireBudget: TaskCancelled IncidentEscalated
  Pause: Paused
  Cancel: TaskCancelled ResourcesReleased IncidentCancelled
  Escalate: TaskCancelled IncidentEscalated
  AddNote: NoteAdded
  refused ALREADY_EXISTS: Open
  refused FAILED_PRECONDITION: Reopen, MergeInto, SplitOff, AnswerRollCall, DecidePolicy auto, DecidePolicy ask, DecidePolicy forbid, LockResources, ExpireApproval, Approve, Approve other plan, Reject, Choose, Resume, RequestRollback
  refused INVALID_ARGUMENT: AddNote empty
  refused NOT_FOUND: SettleAlert, AssignTask, SkipTask, Choose unknown

Validating, rolling back
  AttachAlert firing: AlertAttached
  AttachAlert cleared: AlertAttached
  AttachAlert flapping: AlertAttached AlertFlapping
  TakeAlerts: AlertsTaken
  NameSuspects: SuspectsNamed
  FinishTask good: TaskSucceeded RollbackEnded RecoveryEnded ResourcesReleased ExplanationChosen PhaseEntered(Recovering)
  FinishTask bad: TaskSucceeded RollbackEnded IncidentEscalated
  FinishTask failed: AttemptFailed
  FinishTask failed finally: TaskFailed RollbackEnded IncidentEscalated
  FinishTask other lease: LateResult
  LoseAttempt: AttemptFailed
  RecordEvidence: EvidenceRecorded
  ExpireBudget: TaskCancelled RollbackEnded IncidentEscalated
  Pause: Paused
  Cancel: TaskCancelled RollbackEnded ResourcesReleased IncidentCancelled
  Escalate: TaskCancelled RollbackEnded IncidentEscalated
  AddNote: NoteAdded
  refused ALREADY_EXISTS: Open
  refused FAILED_PRECONDITION: Reopen, MergeInto, SplitOff, AnswerRollCall, DecidePolicy auto, DecidePolicy ask, DecidePolicy forbid, LockResources, ExpireApproval, Approve, Approve other plan, Reject, Choose, Resume, RequestRollback
  refused INVALID_ARGUMENT: AddNote empty
  refused NOT_FOUND: SettleAlert, AssignTask, SkipTask, Choose unknown

Documenting
  AttachAlert firing: AlertAttached
  AttachAlert cleared: AlertAttached
  AttachAlert flapping: AlertAttached AlertFlapping
  TakeAlerts: AlertsTaken
  NameSuspects: SuspectsNamed
  FinishTask good: TaskSucceeded IncidentResolved
  FinishTask bad: TaskSucceeded IncidentResolved
  FinishTask failed: AttemptFailed
  FinishTask failed finally: TaskFailed IncidentResolved
  FinishTask other lease: LateResult
  LoseAttempt: AttemptFailed
  RecordEvidence: EvidenceRecorded
  ExpireBudget: TaskCancelled IncidentResolved
  Pause: Paused
  Cancel: TaskCancelled IncidentCancelled
  Escalate: TaskCancelled IncidentEscalated
  AddNote: NoteAdded
  refused ALREADY_EXISTS: Open
  refused FAILED_PRECONDITION: Reopen, MergeInto, SplitOff, AnswerRollCall, DecidePolicy auto, DecidePolicy ask, DecidePolicy forbid, LockResources, ExpireApproval, Approve, Approve other plan, Reject, Choose, Resume, RequestRollback
  refused INVALID_ARGUMENT: AddNote empty
  refused NOT_FOUND: SettleAlert, AssignTask, SkipTask, Choose unknown

Resolved
  AttachAlert cleared: AlertAttached
  AttachAlert flapping: AlertAttached
  Reopen: IncidentReopened PhaseEntered(Investigating)
  AddNote: NoteAdded
  RequestRollback: IncidentEscalated RollbackRequested
  refused ALREADY_EXISTS: Open
  refused FAILED_PRECONDITION: AttachAlert firing, SettleAlert, TakeAlerts, MergeInto, SplitOff, NameSuspects, AnswerRollCall, DecidePolicy auto, DecidePolicy ask, DecidePolicy forbid, LockResources, ExpireApproval, ExpireBudget, Approve, Approve other plan, Reject, Choose, Choose unknown, Pause, Resume, Cancel, Escalate
  refused INVALID_ARGUMENT: AddNote empty
  refused NOT_FOUND: AssignTask, SkipTask, FinishTask good, FinishTask bad, FinishTask failed, FinishTask failed finally, FinishTask other lease, LoseAttempt, RecordEvidence

Escalated
  AttachAlert firing: AlertAttached
  AttachAlert cleared: AlertAttached
  AttachAlert flapping: AlertAttached AlertFlapping
  TakeAlerts: AlertsTaken
  MergeInto: AlertsMoved IncidentCancelled
  NameSuspects: SuspectsNamed
  Pause: Paused
  Resume: Resumed PhaseEntered(Investigating)
  Cancel: IncidentCancelled
  AddNote: NoteAdded
  refused ALREADY_EXISTS: Open
  refused FAILED_PRECONDITION: Reopen, SplitOff, AnswerRollCall, DecidePolicy auto, DecidePolicy ask, DecidePolicy forbid, LockResources, ExpireApproval, ExpireBudget, Approve, Approve other plan, Reject, Escalate, RequestRollback
  refused INVALID_ARGUMENT: AddNote empty
  refused NOT_FOUND: SettleAlert, AssignTask, SkipTask, FinishTask good, FinishTask bad, FinishTask failed, FinishTask failed finally, FinishTask other lease, LoseAttempt, RecordEvidence, Choose, Choose unknown

Escalated, change in effect
  AttachAlert firing: AlertAttached
  AttachAlert cleared: AlertAttached
  AttachAlert flapping: AlertAttached AlertFlapping
  TakeAlerts: AlertsTaken
  NameSuspects: SuspectsNamed
  Pause: Paused
  Cancel: ResourcesReleased IncidentCancelled
  AddNote: NoteAdded
  RequestRollback: RollbackRequested
  refused ALREADY_EXISTS: Open
  refused FAILED_PRECONDITION: Reopen, MergeInto, SplitOff, AnswerRollCall, DecidePolicy auto, DecidePolicy ask, DecidePolicy forbid, LockResources, ExpireApproval, ExpireBudget, Approve, Approve other plan, Reject, Choose, Resume, Escalate
  refused INVALID_ARGUMENT: AddNote empty
  refused NOT_FOUND: SettleAlert, AssignTask, SkipTask, FinishTask good, FinishTask bad, FinishTask failed, FinishTask failed finally, FinishTask other lease, LoseAttempt, RecordEvidence, Choose unknown

Escalated, rolling back
  AttachAlert firing: AlertAttached
  AttachAlert cleared: AlertAttached
  AttachAlert flapping: AlertAttached AlertFlapping
  TakeAlerts: AlertsTaken
  NameSuspects: SuspectsNamed
  FinishTask good: TaskSucceeded RollbackEnded RecoveryEnded ResourcesReleased
  FinishTask bad: TaskSucceeded RollbackEnded
  FinishTask failed: AttemptFailed
  FinishTask failed finally: TaskFailed RollbackEnded
  FinishTask other lease: LateResult
  LoseAttempt: AttemptFailed
  RecordEvidence: EvidenceRecorded
  Pause: Paused
  Cancel: TaskCancelled RollbackEnded ResourcesReleased IncidentCancelled
  AddNote: NoteAdded
  refused ALREADY_EXISTS: Open
  refused FAILED_PRECONDITION: Reopen, MergeInto, SplitOff, AnswerRollCall, DecidePolicy auto, DecidePolicy ask, DecidePolicy forbid, LockResources, ExpireApproval, ExpireBudget, Approve, Approve other plan, Reject, Choose, Resume, Escalate, RequestRollback
  refused INVALID_ARGUMENT: AddNote empty
  refused NOT_FOUND: SettleAlert, AssignTask, SkipTask, Choose unknown

Cancelled
  AttachAlert cleared: AlertAttached
  AttachAlert flapping: AlertAttached
  AddNote: NoteAdded
  refused ALREADY_EXISTS: Open
  refused FAILED_PRECONDITION: AttachAlert firing, SettleAlert, Reopen, TakeAlerts, MergeInto, SplitOff, NameSuspects, AnswerRollCall, DecidePolicy auto, DecidePolicy ask, DecidePolicy forbid, LockResources, ExpireApproval, ExpireBudget, Approve, Approve other plan, Reject, Choose, Choose unknown, Pause, Resume, Cancel, Escalate, RequestRollback
  refused INVALID_ARGUMENT: AddNote empty
  refused NOT_FOUND: AssignTask, SkipTask, FinishTask good, FinishTask bad, FinishTask failed, FinishTask failed finally, FinishTask other lease, LoseAttempt, RecordEvidence

Cancelled, change in effect
  AttachAlert cleared: AlertAttached
  AttachAlert flapping: AlertAttached
  AddNote: NoteAdded
  RequestRollback: IncidentEscalated RollbackRequested
  refused ALREADY_EXISTS: Open
  refused FAILED_PRECONDITION: AttachAlert firing, SettleAlert, Reopen, TakeAlerts, MergeInto, SplitOff, NameSuspects, AnswerRollCall, DecidePolicy auto, DecidePolicy ask, DecidePolicy forbid, LockResources, ExpireApproval, ExpireBudget, Approve, Approve other plan, Reject, Choose, Choose unknown, Pause, Resume, Cancel, Escalate
  refused INVALID_ARGUMENT: AddNote empty
  refused NOT_FOUND: AssignTask, SkipTask, FinishTask good, FinishTask bad, FinishTask failed, FinishTask failed finally, FinishTask other lease, LoseAttempt, RecordEvidence
)table";

TEST(TransitionTable, EveryStateAndEveryCommand) { EXPECT_EQ(kExpected, Table()); }

TEST(TransitionTable, EveryKindOfEventIsReached) {
  const std::string table = Table();
  const auto* kinds = v1::Event::descriptor()->FindOneofByName("kind");
  for (int i = 0; i < kinds->field_count(); ++i) {
    const std::string name = kinds->field(i)->message_type()->name();
    EXPECT_NE(std::string::npos, table.find(name)) << name << " follows from no command of the table";
  }
}

}  // namespace
}  // namespace omnix
