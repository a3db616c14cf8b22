// What each kind of event must not do.
#include <algorithm>

#include "common/json.h"
#include "common/time.h"
#include "orchestrator/core/evolve.h"
#include "orchestrator/core/names.h"
#include "tests/simulation/promises.h"

namespace omnix::simulation {
namespace {

const v1::Recovery* LastRecovery(const v1::Incident& incident) {
  return incident.recoveries().empty() ? nullptr : &incident.recoveries(incident.recoveries_size() - 1);
}

bool HasAlert(const v1::Incident& incident, const std::string& fingerprint) {
  return std::any_of(incident.alerts().begin(), incident.alerts().end(),
                     [&](const v1::Alert& alert) { return alert.fingerprint() == fingerprint; });
}

bool HadEnded(const v1::Incident& incident) {
  return std::any_of(incident.visits().begin(), incident.visits().end(),
                     [](const v1::PhaseVisit& visit) { return IsClosed(visit.phase()); });
}

// Names of timers: "<what>/<incident>/<subject>".
std::string TimerOf(const char* what, const std::string& incident_id, const std::string& subject = "") {
  return fmt::format("{}/{}/{}", what, incident_id, subject);
}

}  // namespace

void Promises::CheckEvent(const v1::Incident& before, const v1::Event& event) {
  CheckTimer(before, event);
  switch (event.kind_case()) {
    case v1::Event::kIncidentOpened:
      return CheckOpened(event);
    case v1::Event::kTaskAssigned:
      return CheckAssigned(before, event.task_assigned());
    case v1::Event::kTaskSucceeded:
      return CheckSucceeded(before, event.task_succeeded());
    case v1::Event::kEvidenceRecorded:
      return CheckEvidence(before, event.evidence_recorded());
    case v1::Event::kResourcesLocked:
      return CheckLocked(before, event.resources_locked());
    case v1::Event::kApprovalGranted:
      return CheckDecision(before, event.approval_granted().plan_hash(), event.approval_granted().by());
    case v1::Event::kApprovalRejected:
      return CheckDecision(before, event.approval_rejected().plan_hash(), event.approval_rejected().by());
    default:
      return;
  }
}

void Promises::CheckOpened(const v1::Event& event) {
  for (const auto& alert : event.incident_opened().alerts()) {
    for (const auto& [id, other] : incidents_) {
      if (id == event.incident_id() || IsClosed(other.phase()) || !HasAlert(other, alert.fingerprint())) continue;
      // One that had ended and is open again for a rollback may have lost the alert to a later incident.
      if (HadEnded(other)) continue;
      if (event.incident_opened().split_from() == id) continue;
      Break("an alert opens one incident",
            fmt::format("{} opened {} though {} is open", alert.fingerprint(), event.incident_id(), id));
    }
  }
}

void Promises::CheckAssigned(const v1::Incident& before, const v1::TaskAssigned& assigned) {
  const v1::Task* task = FindTask(before, assigned.task_id());
  const std::string what = fmt::format("{} of {}", assigned.task_id(), before.id());
  if (task == nullptr || task->state() != v1::TASK_STATE_WAITING || task->attempt() + 1 != assigned.attempt() ||
      assigned.fencing_token() <= before.fencing_token()) {
    return Break("a task has one holder, and each lease outranks those before", what);
  }
  if (!task->spec().approval()) return;
  const v1::Recovery* recovery = LastRecovery(before);
  if (recovery == nullptr || recovery->approval().state() != v1::APPROVAL_STATE_GRANTED) {
    return Break("nothing is applied without an approval", what);
  }
  if (!recovery->plan().resources().empty() && before.resources().empty()) {
    Break("nothing is applied without its locks", what);
  }
}

void Promises::CheckSucceeded(const v1::Incident& before, const v1::TaskSucceeded& succeeded) {
  const v1::Task* task = FindTask(before, succeeded.task_id());
  const std::string what = fmt::format("{} of {}, attempt {}", succeeded.task_id(), before.id(), succeeded.attempt());
  // The agents of the simulation put the token of their lease into what they give.
  const auto output = ParseJson(succeeded.product().output_json());
  const uint64_t token = output.ok() ? output->value("token", uint64_t{0}) : 0;
  if (task == nullptr || task->state() != v1::TASK_STATE_RUNNING || task->attempt() != succeeded.attempt() ||
      task->fencing_token() != token) {
    return Break("only the holder of a lease gives its result", what);
  }
  if (!succeeded.product().has_application()) return;
  const v1::Recovery* recovery = LastRecovery(before);
  if (recovery == nullptr || recovery->approval().state() != v1::APPROVAL_STATE_GRANTED ||
      recovery->approval().plan_hash() != succeeded.product().application().plan_hash()) {
    Break("what was approved is what is applied", what);
  }
}

void Promises::CheckEvidence(const v1::Incident& before, const v1::EvidenceRecorded& recorded) {
  for (const auto& evidence : recorded.evidence()) {
    for (const auto& known : before.evidence()) {
      if (known.id() == evidence.id() && known.task_id() == evidence.task_id() &&
          known.attempt() == evidence.attempt()) {
        Break("evidence is recorded once", fmt::format("{} of {}", evidence.id(), evidence.task_id()));
      }
    }
  }
}

void Promises::CheckLocked(const v1::Incident& before, const v1::ResourcesLocked& locked) {
  for (const auto& resource : locked.resources()) {
    const auto holder = holders_.find(resource);
    if (holder == holders_.end() || holder->second == before.id()) continue;
    Break("no two incidents hold the same resource",
          fmt::format("{} is locked by {} and by {}", resource, holder->second, before.id()));
  }
}

void Promises::CheckDecision(const v1::Incident& before, const std::string& plan_hash, const std::string& by) {
  const v1::Recovery* recovery = LastRecovery(before);
  if (recovery == nullptr || recovery->plan().hash() != plan_hash || recovery->plan().hash().empty()) {
    Break("an approval is of the plan that it names", fmt::format("{} by {} in {}", plan_hash, by, before.id()));
  } else if (recovery->approval().state() == v1::APPROVAL_STATE_GRANTED) {
    Break("a plan is decided once", fmt::format("{} by {} in {}", plan_hash, by, before.id()));
  }
}

void Promises::CheckTimer(const v1::Incident& before, const v1::Event& event) {
  const std::string& id = before.id();
  if (event.has_attempt_failed() || event.has_task_failed()) {
    const bool again = event.has_attempt_failed();
    const std::string& task_id = again ? event.attempt_failed().task_id() : event.task_failed().task_id();
    const std::string& reason = again ? event.attempt_failed().reason() : event.task_failed().reason();
    const v1::Task* task = FindTask(before, task_id);
    if (task != nullptr && reason.starts_with("no answer from ")) {
      NotBefore(TimerOf("attempt", id, task_id), FromProto(task->spec().timeout()), "the attempt of " + task_id);
    }
  }
  if (event.has_task_assigned()) {
    const v1::Task* task = FindTask(before, event.task_assigned().task_id());
    if (task != nullptr && task->has_not_before()) {
      // The wait doubles with each attempt; the first is the shortest.
      NotBefore(TimerOf("retry", id, task->id()), absl::Seconds(1), "the wait before another attempt of " + task->id());
    }
  }
  if (event.has_approval_rejected() && event.approval_rejected().by() == "orchestrator") {
    NotBefore(TimerOf("approval", id), approval_timeout_, "the request for approval");
  }
  if (event.has_incident_escalated() && event.incident_escalated().reason().starts_with("not resolved within")) {
    NotBefore(TimerOf("budget", id), budget_, "the budget of time");
  }
}

void Promises::NotBefore(const std::string& timer, absl::Duration length, const std::string& what) {
  const auto started = timers_.find(timer);
  // What is left after a restart is taken from wall-clock times, which may have jumped.
  if (started == timers_.end() || started->second.recoveries != recoveries_) return;
  const absl::Duration passed = taken_at_ - started->second.at;
  if (passed < length) {
    Break("no timer fires early",
          fmt::format("{} ended after {} of {}", what, absl::FormatDuration(passed), absl::FormatDuration(length)));
  }
}

std::string Promises::KinOf(const std::string& incident_id) const {
  const auto found = kin_.find(incident_id);
  return found == kin_.end() ? incident_id : found->second;
}

void Promises::JoinKin(const std::string& incident_id, const std::string& other_id) {
  const std::string kin = KinOf(incident_id);
  const std::string former = KinOf(other_id);
  kin_[incident_id] = kin_[other_id] = kin;
  if (former == kin) return;
  for (auto& [id, its] : kin_) {
    if (its == former) its = kin;
  }
  for (auto* counts : {&alerts_kept_, &alerts_acknowledged_}) {
    std::map<std::pair<std::string, std::string>, uint64_t> joined;
    for (const auto& [key, count] : *counts) joined[{key.first == former ? kin : key.first, key.second}] += count;
    *counts = std::move(joined);
  }
}

void Promises::RememberAlert(const std::string& incident_id, const v1::Alert& alert) {
  ++alerts_kept_[{KinOf(incident_id), alert.fingerprint()}];
  last_readings_[alert.fingerprint()] = {incident_id, alert.status() == v1::ALERT_STATUS_FIRING, scheduler_.now()};
}

void Promises::Remember(const v1::Event& event) {
  const std::string& id = event.incident_id();
  auto start = [&](const std::string& timer) { timers_[timer] = {built_since_, recoveries_}; };
  switch (event.kind_case()) {
    case v1::Event::kIncidentOpened:
      said_.insert(event.incident_opened().by());
      for (const auto& alert : event.incident_opened().alerts()) RememberAlert(id, alert);
      return start(TimerOf("budget", id));
    case v1::Event::kPhaseEntered: {
      const auto& visits = incidents_[id].visits();
      // Taken up again, with a new budget.
      if (visits.size() > 1 && visits[visits.size() - 2].phase() == v1::PHASE_ESCALATED) start(TimerOf("budget", id));
      return;
    }
    case v1::Event::kAlertAttached:
      return RememberAlert(id, event.alert_attached().alert());
    case v1::Event::kAlertsTaken:
      said_.insert(event.alerts_taken().by());
      for (auto& [fingerprint, reading] : last_readings_) {
        if (reading.incident_id == event.alerts_taken().from()) reading.incident_id = id;
      }
      return;
    case v1::Event::kAlertsMoved:
      said_.insert(event.alerts_moved().by());
      return JoinKin(id, event.alerts_moved().to());
    case v1::Event::kTaskAssigned:
      return start(TimerOf("attempt", id, event.task_assigned().task_id()));
    case v1::Event::kAttemptFailed:
      return start(TimerOf("retry", id, event.attempt_failed().task_id()));
    case v1::Event::kApprovalRequested:
      return start(TimerOf("approval", id));
    case v1::Event::kApprovalGranted:
      said_.insert(event.approval_granted().by());
      granted_.insert({id, event.approval_granted().plan_hash()});
      return;
    case v1::Event::kApprovalRejected:
      said_.insert(event.approval_rejected().by());
      return;
    case v1::Event::kExplanationChosen:
      said_.insert(event.explanation_chosen().by());
      return;
    case v1::Event::kRollbackRequested:
      said_.insert(event.rollback_requested().by());
      return;
    case v1::Event::kPaused:
      said_.insert(event.paused().by());
      return;
    case v1::Event::kResumed:
      said_.insert(event.resumed().by());
      return;
    case v1::Event::kNoteAdded:
      said_.insert(event.note_added().note().by());
      return;
    case v1::Event::kIncidentEscalated:
      said_.insert(event.incident_escalated().by());
      return;
    case v1::Event::kIncidentCancelled:
      said_.insert(event.incident_cancelled().by());
      return;
    case v1::Event::kResourcesLocked:
      for (const auto& resource : event.resources_locked().resources()) holders_[resource] = id;
      return;
    case v1::Event::kResourcesReleased:
      released_[id] = recoveries_;
      std::erase_if(holders_, [&](const auto& held) { return held.second == id; });
      return;
    default:
      return;
  }
}

}  // namespace omnix::simulation
