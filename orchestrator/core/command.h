// What can be asked of an incident. Values only; where a command comes from is the engine's affair.
#pragma once

#include <omnix/v1/agent_link.pb.h>
#include <omnix/v1/incident.pb.h>
#include <omnix/v1/playbook.pb.h>

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"

namespace omnix::command {

// An alert changed between firing and resolved too often.
struct Flap {
  // With the present one, within this time.
  uint32_t changes = 0;
  absl::Duration within;
  // It is steady again once it did not change for so long.
  absl::Duration quiet;
};

// The first command of every incident.
struct Open {
  std::string id;
  std::string title;
  v1::Severity severity = v1::SEVERITY_UNKNOWN;
  std::vector<v1::Alert> alerts;
  v1::Pins pins;
  std::string by;
  // The incident that it is split from. Empty: none.
  std::string split_from = {};
  // Its first alert flaps.
  std::optional<Flap> flap = std::nullopt;
};

// A new alert of this incident, or a changed one (same fingerprint).
struct AttachAlert {
  v1::Alert alert;
  // The incident's last reading of it, status UNSPECIFIED where it has none. Absent: as the state has it, which keeps
  // only some of many.
  std::optional<v1::AlertKey> was = std::nullopt;
  // It flaps from now on.
  std::optional<Flap> flap = std::nullopt;
};

// A flapping alert was quiet long enough.
struct SettleAlert {
  std::string fingerprint;
};

// An alert of this resolved incident fires again.
struct Reopen {
  std::string reason;
};

// The two halves of a merge: this incident takes all alerts of `from`...
struct TakeAlerts {
  std::string from;
  // Of `from`: what its state keeps of its alerts, and how many it has.
  std::vector<v1::Alert> alerts;
  v1::AlertCounts counts;
  std::string by;
  std::string reason;
};
// ...and this one gives them and ends.
struct MergeInto {
  std::string into;
  std::string by;
  std::string reason;
};

// These alerts are those of another incident from now on.
struct SplitOff {
  std::string to;
  // As the incident read them last.
  std::vector<v1::AlertKey> alerts;
  std::string by;
  std::string reason;
};

struct NameSuspects {
  std::vector<v1::Suspect> suspects;
};

// The roll call ended: everybody is there, or its time is up.
struct AnswerRollCall {
  std::vector<v1::RosterEntry> roster;
  std::vector<std::string> missing_task_types;
};

// An agent has room for the task. The core gives the lease its number and fencing token.
struct AssignTask {
  std::string task_id;
  std::string agent;
  // As the journal keeps it.
  std::string input_json;
};

// The task's condition does not hold.
struct SkipTask {
  std::string task_id;
  std::string reason;
};

// An agent's answer.
struct FinishTask {
  v1::LeaseId lease;
  std::string agent;
  v1::Outcome outcome = v1::OUTCOME_UNSPECIFIED;
  v1::Product product;
  std::string error;
};

// The attempt will never be answered: its agent is lost, or its time is up.
struct LoseAttempt {
  std::string task_id;
  uint32_t attempt = 0;
  std::string reason;
};

struct RecordEvidence {
  v1::LeaseId lease;
  std::vector<v1::Evidence> evidence;
};

// What the policy says of the plan.
struct DecidePolicy {
  std::string plan_hash;
  v1::PolicyDecision decision = v1::POLICY_DECISION_ASK;
  std::string rule;
  std::string reason;
};

// The plan's resources are free and now belong to this incident.
struct LockResources {};

struct ExpireApproval {
  std::string plan_hash;
};

struct ExpireBudget {};

// An operator's word; `by` is "operator:<name>".
struct Approve {
  std::string plan_hash;
  std::string by;
  std::string reason;
};
struct Reject {
  std::string plan_hash;
  std::string by;
  std::string reason;
};
struct Choose {
  std::string explanation_id;
  std::string by;
};
struct Pause {
  std::string by;
  std::string reason;
};
struct Resume {
  std::string by;
  std::string reason;
};
struct Cancel {
  std::string by;
  std::string reason;
};
struct Escalate {
  std::string by;
  std::string reason;
};
struct AddNote {
  std::string by;
  std::string text;
};
struct RequestRollback {
  std::string by;
  std::string reason;
};

}  // namespace omnix::command

namespace omnix {

using Command =
    std::variant<command::Open, command::AttachAlert, command::SettleAlert, command::Reopen, command::TakeAlerts,
                 command::MergeInto, command::SplitOff, command::NameSuspects, command::AnswerRollCall,
                 command::AssignTask, command::SkipTask, command::FinishTask, command::LoseAttempt,
                 command::RecordEvidence, command::DecidePolicy, command::LockResources, command::ExpireApproval,
                 command::ExpireBudget, command::Approve, command::Reject, command::Choose, command::Pause,
                 command::Resume, command::Cancel, command::Escalate, command::AddNote, command::RequestRollback>;

}  // namespace omnix
