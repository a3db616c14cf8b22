#include "cli/incident_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "cli/page.h"
#include "cli/words.h"
#include "common/redact.h"
#include "common/time.h"

namespace omnix {
namespace {

// The strongest evidence of a hypothesis; the report has all of it.
constexpr int kShownEvidence = 3;
// The alerts that say most; a storm has thousands.
constexpr int kShownAlerts = 20;
// Enough for what a monitor's rule says of itself; `-o json` has all of it.
constexpr size_t kShownDescriptionBytes = 300;

std::string JoinWords(const google::protobuf::RepeatedPtrField<std::string>& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

void AddHead(Page& page, const v1::GetIncidentResponse& answer, absl::Time now) {
  const v1::Incident& incident = answer.incident();
  page.Title(fmt::format("{}  {}", incident.id(), incident.title()));
  page.Field("Phase", PhaseWord(incident.phase()) + (incident.paused() ? " (paused: no new task starts)" : ""));
  page.Field("Severity", SeverityWord(incident.severity()));
  page.Field("Started", TimeWord(incident.started_at()));
  page.Field("Opened", fmt::format("{} ({})", TimeWord(incident.opened_at()), AgoWord(incident.opened_at(), now)));
  if (incident.has_resolved_at()) page.Field("Resolved", TimeWord(incident.resolved_at()));
  if (!incident.ended_reason().empty()) page.Field("Reason", incident.ended_reason());
  for (const auto& waiting : answer.waiting()) {
    page.Field("Waits for", fmt::format("{} (since {}, {})", waiting.what(), TimeWord(waiting.since()),
                                        AgoWord(waiting.since(), now)));
    if (!waiting.hint().empty()) page.Field("", "-> " + waiting.hint());
  }
}

const char* RelationWord(v1::Relation relation) {
  switch (relation) {
    case v1::RELATION_MERGED_FROM:
      return "took the alerts of";
    case v1::RELATION_MERGED_INTO:
      return "its alerts went to";
    case v1::RELATION_SPLIT_FROM:
      return "was split from";
    case v1::RELATION_SPLIT_INTO:
      return "gave alerts to";
    default:
      return "has to do with";
  }
}

void AddRelated(Page& page, const v1::Incident& incident) {
  for (const auto& related : incident.related()) {
    page.Field("Related", fmt::format("{} {} ({})", RelationWord(related.relation()), related.incident_id(),
                                      TimeWord(related.at())));
  }
}

// "6, 4 firing, 2 resolved; 1 critical, 5 error".
std::string CountsWord(const v1::AlertCounts& counts) {
  std::string text = fmt::format("{}, {} firing, {} resolved", counts.total(), counts.firing(), counts.resolved());
  const char* before = "; ";
  for (const auto& [number, word] : {std::pair(counts.critical(), "critical"), std::pair(counts.error(), "error"),
                                     std::pair(counts.warning(), "warning"), std::pair(counts.info(), "info"),
                                     std::pair(counts.unknown(), "unknown")}) {
    if (number == 0) continue;
    text += fmt::format("{}{} {}", before, number, word);
    before = ", ";
  }
  return text;
}

void AddFlapping(Page& page, const v1::Incident& incident) {
  for (const auto& flapping : incident.flapping()) {
    page.Item("~",
              fmt::format("flaps: {} ({} changes, the last {}, since {}; steady once quiet for {})", flapping.title(),
                          flapping.changes(), flapping.status() == v1::ALERT_STATUS_RESOLVED ? "resolved" : "firing",
                          TimeWord(flapping.since()), omnix::FormatDuration(FromProto(flapping.quiet()))));
  }
}

void AddAlerts(Page& page, const v1::Incident& incident) {
  if (incident.alerts().empty()) return;
  page.Section("Alerts");
  page.Field("Count", CountsWord(incident.alert_counts()));
  for (const auto& suspect : incident.suspects()) {
    page.Item(">", fmt::format("look at {}, by the dependencies: it {}", suspect.service(), suspect.reason()));
  }
  AddFlapping(page, incident);
  const int shown = std::min(kShownAlerts, incident.alerts_size());
  for (int i = 0; i < shown; ++i) {
    const v1::Alert& alert = incident.alerts(i);
    const bool resolved = alert.status() == v1::ALERT_STATUS_RESOLVED;
    std::string text =
        fmt::format("[{}, {}] {}", resolved ? "resolved" : "firing", SeverityWord(alert.severity()), alert.title());
    if (!alert.subject().empty()) text += fmt::format(" ({})", alert.subject());
    page.Item("-", fmt::format("{}, since {}, from {}", text, TimeWord(alert.starts_at()), alert.source()));
    const std::map<std::string, std::string> sorted(alert.labels().begin(), alert.labels().end());
    std::string labels;
    for (const auto& [name, value] : sorted) labels += fmt::format("{}{}={}", labels.empty() ? "" : " ", name, value);
    if (!labels.empty()) page.Item("", labels, 1);
    if (!alert.description().empty() && alert.description() != alert.title()) {
      page.Item("", Excerpt(alert.description(), kShownDescriptionBytes), 1);
    }
    // `incident split` asks for it.
    page.Item("", "fingerprint " + alert.fingerprint(), 1);
  }
  const int64_t more = int64_t{incident.alert_counts().total()} - shown;
  if (more > 0) page.Item("", fmt::format("and {} more: omnix alert list, or the journal's table `alerts`", more));
}

std::string Place(const v1::Location& location) {
  return location.line() > 0 ? fmt::format("{}:{}", location.file(), location.line()) : location.file();
}

void AddHypothesis(Page& page, const v1::Hypothesis& hypothesis, int rank,
                   const std::map<std::string, const v1::Evidence*>& evidence) {
  std::string text = fmt::format("{:.0f} %  {}", hypothesis.confidence() * 100, hypothesis.title());
  if (hypothesis.status() == v1::HYPOTHESIS_STATUS_SUPPORTED) text += " (a test agrees)";
  if (hypothesis.status() == v1::HYPOTHESIS_STATUS_REFUTED) text += " (refuted)";
  page.Item(fmt::format("{}.", rank), text);
  page.Item("", fmt::format("{} {}, {}", hypothesis.id(), hypothesis.kind(), hypothesis.component()), 1);
  if (!hypothesis.location().file().empty()) page.Item("", "at " + Place(hypothesis.location()), 1);
  for (int i = 0; i < std::min(kShownEvidence, hypothesis.evidence_for_size()); ++i) {
    const auto found = evidence.find(hypothesis.evidence_for(i));
    page.Item("+", found == evidence.end() ? hypothesis.evidence_for(i) : found->second->summary(), 1);
  }
  for (int i = 0; i < std::min(kShownEvidence, hypothesis.evidence_against_size()); ++i) {
    const auto found = evidence.find(hypothesis.evidence_against(i));
    page.Item("-", found == evidence.end() ? hypothesis.evidence_against(i) : found->second->summary(), 1);
  }
}

void AddDiagnosis(Page& page, const v1::Incident& incident) {
  const v1::Diagnosis& diagnosis = incident.diagnosis();
  if (!incident.has_diagnosis()) return;
  if (!diagnosis.symptoms().empty()) page.Section("Symptoms");
  for (const auto& symptom : diagnosis.symptoms()) {
    page.Item("-", fmt::format("{}: {}", symptom.component(), symptom.summary()));
  }
  std::map<std::string, const v1::Evidence*> evidence;
  for (const auto& item : incident.evidence()) evidence[item.id()] = &item;
  page.Section(diagnosis.hypotheses().empty() ? "Cause unknown" : "Causes");
  if (!diagnosis.summary().empty()) page.Item("", diagnosis.summary());
  int rank = 0;
  for (const auto& hypothesis : diagnosis.hypotheses()) AddHypothesis(page, hypothesis, ++rank, evidence);
  for (const auto& explanation : diagnosis.explanations()) {
    const auto& spent = incident.spent_explanation_ids();
    const bool tried = std::find(spent.begin(), spent.end(), explanation.id()) != spent.end();
    const char* state = explanation.id() == incident.explanation_id() ? " (in work)" : tried ? " (tried)" : "";
    page.Item("*", fmt::format("explanation {}{}, {:.0f} %: {}", explanation.id(), state,
                               explanation.confidence() * 100, explanation.summary()));
  }
  if (!diagnosis.ruled_out().empty()) page.Section("Ruled out");
  for (const auto& line : diagnosis.ruled_out()) page.Item("-", line);
  if (!diagnosis.next_steps().empty()) page.Section("Next steps");
  for (const auto& line : diagnosis.next_steps()) page.Item("-", line);
}

void AddPlanFacts(Page& page, const v1::Plan& plan) {
  if (!plan.summary().empty()) page.Field("Plan", plan.summary());
  page.Field("Hash", plan.hash());
  page.Field("Risk", RiskWord(plan.risk()));
  if (!plan.services().empty()) page.Field("Services", fmt::format("{}", fmt::join(plan.services(), ", ")));
  for (const auto& action : plan.actions()) page.Item("-", fmt::format("{}: {}", action.kind(), action.description()));
  for (const auto& file : plan.files()) {
    page.Item("-", fmt::format("{} (+{} -{})", file.path(), file.lines_added(), file.lines_removed()));
  }
  for (const auto& command : plan.commands()) {
    page.Item("-", fmt::format("then run {}.{}: {}", command.service(), command.name(), JoinWords(command.argv())));
  }
}

std::string ApprovalText(const v1::Approval& approval) {
  const std::string by = approval.by().empty() ? "" : " by " + approval.by();
  const std::string reason = approval.reason().empty() ? "" : ": " + approval.reason();
  switch (approval.state()) {
    case v1::APPROVAL_STATE_UNDECIDED:
      return "the policy has not been asked yet";
    case v1::APPROVAL_STATE_REQUESTED:
      return fmt::format("asked for at {}{}; escalates at {}", TimeWord(approval.requested_at()), reason,
                         TimeWord(approval.expires_at()));
    case v1::APPROVAL_STATE_GRANTED:
      return fmt::format("granted{} at {}{}", by, TimeWord(approval.decided_at()), reason);
    case v1::APPROVAL_STATE_REJECTED:
      return fmt::format("rejected{} at {}{}", by, TimeWord(approval.decided_at()), reason);
    case v1::APPROVAL_STATE_FORBIDDEN:
      return fmt::format("forbidden{}{}", by, reason);
    default:
      return "";
  }
}

void AddSteps(Page& page, const google::protobuf::RepeatedPtrField<v1::StepResult>& steps) {
  for (const auto& step : steps) {
    page.Item("-", fmt::format("{}: {}", step.step(), StepWord(step.outcome())));
    if (step.outcome() == v1::STEP_OUTCOME_FAILED) page.Verbatim(step.detail(), 1);
  }
}

void AddVerdict(Page& page, const v1::Verdict& verdict) {
  page.Field("Validation", fmt::format("{}: {}", verdict.passed() ? "passed" : "failed", verdict.summary()));
  for (const auto& result : verdict.results()) {
    if (result.status() == v1::CHECK_STATUS_FAILED || result.status() == v1::CHECK_STATUS_ERROR) {
      page.Item("-", fmt::format("{}: {}", result.name(), result.summary()));
    }
  }
}

void AddRecovery(Page& page, const v1::Recovery& recovery) {
  page.Section(
      fmt::format("Recovery {}{}{}", recovery.number(), recovery.outcome().empty() ? "" : ": ", recovery.outcome()));
  if (recovery.has_plan()) {
    AddPlanFacts(page, recovery.plan());
    page.Diff(recovery.plan().diff());
  }
  if (const std::string text = ApprovalText(recovery.approval()); !text.empty()) page.Field("Approval", text);
  if (recovery.has_application()) {
    const v1::Application& application = recovery.application();
    page.Field("Applied",
               fmt::format("{}{}: {}", application.applied() ? "yes" : "no, undone",
                           application.needs_attention() ? ", A PERSON MUST LOOK" : "", application.summary()));
    AddSteps(page, application.steps());
  }
  if (recovery.has_verdict()) AddVerdict(page, recovery.verdict());
  if (recovery.has_rollback()) {
    page.Field("Rolled back", fmt::format("{}: {}", recovery.rollback().complete() ? "completely" : "NOT COMPLETELY",
                                          recovery.rollback().summary()));
    AddSteps(page, recovery.rollback().steps());
  }
}

void AddReadiness(Page& page, const v1::Incident& incident) {
  if (!incident.has_readiness()) return;
  page.Section("Infrastructure");
  page.Field("Readiness", fmt::format("{} of 100: {}", incident.readiness().score(), incident.readiness().summary()));
  for (const auto& deduction : incident.readiness().deductions()) {
    page.Item(fmt::format("-{}", deduction.points()), fmt::format("{} ({})", deduction.reason(), deduction.check()));
  }
}

void AddTimeline(Page& page, const v1::Incident& incident, absl::Time now) {
  if (incident.visits().empty()) return;
  page.Section("Timeline");
  for (const auto& visit : incident.visits()) {
    const absl::Time end = visit.has_left_at() ? FromProto(visit.left_at()) : now;
    const bool stays = !visit.has_left_at() && HasEnded(visit.phase());
    const std::string duration =
        stays ? "" : omnix::FormatDuration(std::max(absl::ZeroDuration(), end - FromProto(visit.entered_at())));
    page.Item("", fmt::format("{}  {:13} {:>8}{}{}", TimeWord(visit.entered_at()), PhaseWord(visit.phase()), duration,
                              visit.reason().empty() ? "" : "  ", visit.reason()));
  }
}

void AddNotes(Page& page, const v1::Incident& incident) {
  if (incident.notes().empty()) return;
  page.Section("Notes");
  for (const auto& note : incident.notes()) {
    page.Item("-", fmt::format("{} {}: {}", TimeWord(note.at()), note.by(), note.text()));
  }
}

}  // namespace

std::string RenderIncident(const v1::GetIncidentResponse& answer, absl::Time now, int width, const Style& style) {
  const v1::Incident& incident = answer.incident();
  Page page(width, style);
  AddHead(page, answer, now);
  AddRelated(page, answer.incident());
  AddAlerts(page, incident);
  AddDiagnosis(page, incident);
  for (const auto& recovery : incident.recoveries()) AddRecovery(page, recovery);
  AddReadiness(page, incident);
  AddTimeline(page, incident, now);
  AddNotes(page, incident);
  return page.text();
}

std::string RenderPlan(const v1::Plan& plan, int width, const Style& style) {
  Page page(width, style);
  AddPlanFacts(page, plan);
  page.Section("Changes");
  page.Diff(plan.diff());
  return page.text();
}

}  // namespace omnix
