#include "orchestrator/core/event_text.h"

#include <fmt/format.h>

#include "common/time.h"
#include "orchestrator/core/names.h"

namespace omnix {
namespace {

constexpr size_t kHashPrefixShown = 12;

std::string Short(const std::string& hash) { return hash.substr(0, kHashPrefixShown); }

std::string WithReason(std::string text, const std::string& reason) {
  return reason.empty() ? text : text + ": " + reason;
}

std::string ProductText(const v1::Product& product) {
  switch (product.kind_case()) {
    case v1::Product::kDiagnosis:
      return product.diagnosis().summary();
    case v1::Product::kReadiness:
      return fmt::format("readiness {}/100. {}", product.readiness().score(), product.readiness().summary());
    case v1::Product::kPlan:
      return fmt::format("plan {}: {}", Short(product.plan().hash()), product.plan().summary());
    case v1::Product::kApplication:
      return product.application().summary();
    case v1::Product::kRollback:
      return product.rollback().summary();
    case v1::Product::kVerdict:
      return product.verdict().summary();
    case v1::Product::kDocument:
      return product.document().title();
    case v1::Product::KIND_NOT_SET:
      return "";
  }
  return "";
}

std::string EvidenceText(const v1::EvidenceRecorded& recorded) {
  if (recorded.evidence_size() == 1) {
    const auto& evidence = recorded.evidence(0);
    return fmt::format("evidence from {}: {}", evidence.source(), evidence.summary());
  }
  return fmt::format("{} pieces of evidence; first from {}: {}", recorded.evidence_size(),
                     recorded.evidence(0).source(), recorded.evidence(0).summary());
}

std::string MobilizedText(const v1::AgentsMobilized& mobilized) {
  std::string names;
  for (const auto& entry : mobilized.roster()) names += (names.empty() ? "" : ", ") + entry.agent();
  std::string text = fmt::format("{} agents answered the roll call: {}", mobilized.roster_size(), names);
  for (const auto& type : mobilized.missing_task_types()) text += "; nobody offers " + type;
  return text;
}

std::string SuspectsText(const v1::SuspectsNamed& named) {
  if (named.suspects().empty()) return "the dependencies name no service to look at first";
  const auto& first = named.suspects(0);
  return fmt::format("look first at {}, by the dependencies: it {}", first.service(), first.reason());
}

}  // namespace

// The journal's view `phases` takes phase and reason out of the texts of the events that begin a visit; another form of
// these needs another version of that view, and those that are kept stay as they are.
std::string EventText(const v1::Event& event) {
  switch (event.kind_case()) {
    case v1::Event::kIncidentOpened: {
      const auto& e = event.incident_opened();
      return fmt::format("incident opened by {}: {} ({})", e.by(), e.title(), SeverityName(e.severity()));
    }
    case v1::Event::kAlertAttached: {
      const auto& alert = event.alert_attached().alert();
      return fmt::format("alert {}{}: {}", alert.status() == v1::ALERT_STATUS_RESOLVED ? "cleared" : "fires",
                         event.alert_attached().damped() ? " (flapping)" : "", alert.title());
    }
    case v1::Event::kAlertFlapping: {
      const auto& e = event.alert_flapping();
      return fmt::format("alert flaps ({} changes within {}), its changes have no effect until it is quiet for {}: {}",
                         e.changes(), omnix::FormatDuration(FromProto(e.within())),
                         omnix::FormatDuration(FromProto(e.quiet())), e.title());
    }
    case v1::Event::kAlertSettled:
      return fmt::format("alert flaps no more, it {}: {}",
                         event.alert_settled().status() == v1::ALERT_STATUS_RESOLVED ? "has cleared" : "fires",
                         event.alert_settled().title());
    case v1::Event::kAlertsTaken: {
      const auto& e = event.alerts_taken();
      return WithReason(fmt::format("{} merged into this incident by {}", e.from(), e.by()), e.reason());
    }
    case v1::Event::kAlertsMoved: {
      const auto& e = event.alerts_moved();
      const std::string what =
          e.all() ? fmt::format("merged into {} by {}", e.to(), e.by())
                  : fmt::format("{} alerts split off to {} by {}", e.fingerprints_size(), e.to(), e.by());
      return WithReason(what, e.reason());
    }
    case v1::Event::kIncidentReopened:
      return WithReason("taken up again", event.incident_reopened().reason());
    case v1::Event::kSuspectsNamed:
      return SuspectsText(event.suspects_named());
    case v1::Event::kPhaseEntered:
      return WithReason(PhaseName(event.phase_entered().phase()), event.phase_entered().reason());
    case v1::Event::kAgentsMobilized:
      return MobilizedText(event.agents_mobilized());
    case v1::Event::kTaskAssigned: {
      const auto& e = event.task_assigned();
      return fmt::format("{} assigned to {} (attempt {})", e.task_id(), e.agent(), e.attempt());
    }
    case v1::Event::kTaskSkipped:
      return WithReason(event.task_skipped().task_id() + " skipped", event.task_skipped().reason());
    case v1::Event::kTaskSucceeded:
      return WithReason(event.task_succeeded().task_id() + " done", ProductText(event.task_succeeded().product()));
    case v1::Event::kAttemptFailed: {
      const auto& e = event.attempt_failed();
      return fmt::format("attempt {} of {} failed, next not before {}: {}", e.attempt(), e.task_id(),
                         FormatTime(e.not_before()), e.reason());
    }
    case v1::Event::kTaskFailed:
      return WithReason(event.task_failed().task_id() + " failed", event.task_failed().reason());
    case v1::Event::kTaskCancelled:
      return WithReason(event.task_cancelled().task_id() + " cancelled", event.task_cancelled().reason());
    case v1::Event::kLateResult: {
      const auto& e = event.late_result();
      return WithReason(
          fmt::format("late result of {} from {} (attempt {}) changes nothing", e.task_id(), e.agent(), e.attempt()),
          e.summary());
    }
    case v1::Event::kEvidenceRecorded:
      return EvidenceText(event.evidence_recorded());
    case v1::Event::kExplanationChosen:
      return fmt::format("explanation {} chosen by {}", event.explanation_chosen().explanation_id(),
                         event.explanation_chosen().by());
    case v1::Event::kApprovalRequested:
      return WithReason("approval asked for plan " + Short(event.approval_requested().plan_hash()),
                        event.approval_requested().reason());
    case v1::Event::kApprovalGranted: {
      const auto& e = event.approval_granted();
      return WithReason(fmt::format("plan {} approved by {}", Short(e.plan_hash()), e.by()), e.reason());
    }
    case v1::Event::kApprovalRejected: {
      const auto& e = event.approval_rejected();
      return WithReason(
          fmt::format("plan {} {} by {}", Short(e.plan_hash()), e.forbidden() ? "forbidden" : "rejected", e.by()),
          e.reason());
    }
    case v1::Event::kResourcesLocked:
      return fmt::format("{} resources locked", event.resources_locked().resources_size());
    case v1::Event::kResourcesReleased:
      return WithReason("resources released", event.resources_released().reason());
    case v1::Event::kRecoveryEnded:
      return WithReason("recovery ended", event.recovery_ended().outcome());
    case v1::Event::kRollbackRequested:
      return WithReason("rollback asked by " + event.rollback_requested().by(), event.rollback_requested().reason());
    case v1::Event::kRollbackEnded:
      return WithReason(event.rollback_ended().complete() ? "rollback complete" : "rollback not complete",
                        event.rollback_ended().summary());
    case v1::Event::kPaused:
      return WithReason("paused by " + event.paused().by(), event.paused().reason());
    case v1::Event::kResumed:
      return WithReason("resumed by " + event.resumed().by(), event.resumed().reason());
    case v1::Event::kNoteAdded:
      return fmt::format("note by {}: {}", event.note_added().note().by(), event.note_added().note().text());
    case v1::Event::kIncidentEscalated:
      return WithReason("Escalated by " + event.incident_escalated().by(), event.incident_escalated().reason());
    case v1::Event::kIncidentCancelled:
      return WithReason("Cancelled by " + event.incident_cancelled().by(), event.incident_cancelled().reason());
    case v1::Event::kIncidentResolved:
      return WithReason("Resolved", event.incident_resolved().reason());
    case v1::Event::KIND_NOT_SET:
      return "";
  }
  return "";
}

}  // namespace omnix
