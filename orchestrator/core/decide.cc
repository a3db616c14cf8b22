#include "orchestrator/core/decide.h"

#include <algorithm>

#include "common/status.h"
#include "common/time.h"
#include "orchestrator/core/decision.h"
#include "orchestrator/core/evolve.h"
#include "orchestrator/core/names.h"

namespace omnix {
namespace {

constexpr absl::Duration kDefaultBudget = absl::Hours(2);
constexpr absl::Duration kDefaultMobilizeTimeout = absl::Seconds(20);
constexpr absl::Duration kDefaultApprovalTimeout = absl::Hours(1);
constexpr uint32_t kDefaultMaxRecoveries = 3;

v1::Limits LimitsOf(const v1::Playbook& playbook) {
  v1::Limits limits;
  limits.set_max_recoveries(playbook.max_recoveries() == 0 ? kDefaultMaxRecoveries : playbook.max_recoveries());
  limits.set_mobilize_timeout_ms(
      absl::ToInt64Milliseconds(OrDefault(playbook.mobilize_timeout(), kDefaultMobilizeTimeout)));
  limits.set_approval_timeout_ms(
      absl::ToInt64Milliseconds(OrDefault(playbook.approval_timeout(), kDefaultApprovalTimeout)));
  return limits;
}

google::protobuf::Timestamp EarliestStart(const std::vector<v1::Alert>& alerts, absl::Time now) {
  absl::Time earliest = now;
  for (const auto& alert : alerts) {
    if (alert.has_starts_at()) earliest = std::min(earliest, FromProto(alert.starts_at()));
  }
  return ToProto(earliest);
}

}  // namespace

absl::StatusOr<std::vector<v1::Event>> Decide(v1::Incident& incident, const v1::Playbook& playbook, Command command,
                                              absl::Time now) {
  if (incident.phase() == v1::PHASE_UNSPECIFIED && !std::holds_alternative<command::Open>(command)) {
    return FailedPrecondition("the incident has not been opened");
  }
  Decision decision(incident, playbook, now);
  OMNIX_RETURN_IF_ERROR(std::visit([&](auto& c) { return decision.Handle(std::move(c)); }, command));
  return std::move(decision).TakeEvents();
}

void Decision::Emit(v1::Event event) {
  event.set_incident_id(incident_.id());
  event.set_sequence(incident_.sequence() + 1);
  *event.mutable_time() = ToProto(now_);
  Evolve(incident_, event);
  events_.push_back(std::move(event));
}

absl::Status Decision::RefuseIfClosed(const char* what) const {
  if (!IsClosed(incident_.phase())) return absl::OkStatus();
  return FailedPrecondition("{} is {}: {} means nothing any more", incident_.id(), PhaseName(incident_.phase()), what);
}

absl::Status Decision::Handle(command::Open open) {
  if (incident_.phase() != v1::PHASE_UNSPECIFIED) return AlreadyExists("{} is open already", incident_.id());
  if (open.title.empty()) return InvalidArgument("an incident needs a title");
  incident_.set_id(open.id);
  v1::Event event;
  auto* opened = event.mutable_incident_opened();
  opened->set_title(open.title);
  opened->set_severity(open.severity);
  *opened->mutable_pins() = std::move(open.pins);
  *opened->mutable_limits() = LimitsOf(playbook_);
  *opened->mutable_started_at() = EarliestStart(open.alerts, now_);
  for (auto& alert : open.alerts) *opened->add_alerts() = std::move(alert);
  *opened->mutable_budget_until() = ToProto(now_ + OrDefault(playbook_.budget(), kDefaultBudget));
  opened->set_by(open.by);
  opened->set_split_from(open.split_from);
  Emit(std::move(event));
  if (open.flap && !incident_.alerts().empty()) MarkFlapping(incident_.alerts(0), *open.flap);
  EnterPhase(v1::PHASE_MOBILIZING, "roll call of the agents that the playbook needs");
  return absl::OkStatus();
}

absl::Status Decision::Handle(const command::AnswerRollCall& answer) {
  if (incident_.phase() != v1::PHASE_MOBILIZING) {
    return FailedPrecondition("{} is {}, not Mobilizing", incident_.id(), PhaseName(incident_.phase()));
  }
  v1::Event event;
  auto* mobilized = event.mutable_agents_mobilized();
  for (const auto& entry : answer.roster) *mobilized->add_roster() = entry;
  for (const auto& type : answer.missing_task_types) mobilized->add_missing_task_types(type);
  Emit(std::move(event));
  EnterPhase(v1::PHASE_INVESTIGATING, answer.missing_task_types.empty()
                                          ? fmt::format("{} agents are ready", answer.roster.size())
                                          : fmt::format("{} agents are ready; nobody offers {}", answer.roster.size(),
                                                        fmt::join(answer.missing_task_types, ", ")));
  return absl::OkStatus();
}

absl::Status Decision::Handle(const command::ExpireBudget&) {
  OMNIX_RETURN_IF_ERROR(RefuseIfClosed("its budget of time"));
  if (incident_.phase() == v1::PHASE_ESCALATED) {
    return FailedPrecondition("{} is escalated already", incident_.id());
  }
  if (incident_.phase() == v1::PHASE_DOCUMENTING) {
    CancelTasks("the playbook's budget of time is spent");
    v1::Event event;
    event.mutable_incident_resolved()->set_reason("validated; the report was not written within the budget of time");
    Emit(std::move(event));
    return absl::OkStatus();
  }
  EscalateWith("not resolved within the playbook's budget of time", "orchestrator");
  return absl::OkStatus();
}

}  // namespace omnix
