// Summary, details, impact, symptoms, messages: what happened, for readers who want a page at most.
#include <fmt/format.h>

#include "agents/documentation/sections.h"
#include "common/time.h"

namespace omnix {
namespace {

std::string CausesText(const Facts& facts) {
  std::string text;
  for (const auto& cause : facts.RootCauses()) text += fmt::format("{}{}", text.empty() ? "" : "; ", cause.title());
  return OrNotKnown(text);
}

std::string FailedChecks(const Facts& facts) {
  std::string text;
  for (const auto& symptom : facts.incident.diagnosis().symptoms()) {
    text += fmt::format("{}{} ({})", text.empty() ? "" : "; ", symptom.summary(), symptom.component());
  }
  return OrNotKnown(text);
}

std::string SeverityText(v1::Severity severity) {
  return severity == v1::SEVERITY_UNKNOWN ? kNotKnown : EnumText(v1::Severity_Name(severity), sizeof("SEVERITY_") - 1);
}

}  // namespace

std::string SummaryText(const Facts& facts) {
  const v1::Recovery* fix = facts.Validated();
  return fmt::format(
      "{} \"{}\" was opened at {} and is {}. Root cause: {}. Fix: {}. Time from the start of the trouble{}: {}.",
      facts.incident.id(), facts.incident.title(), TimeText(facts.incident.opened_at()), facts.Outcome(),
      CausesText(facts), fix == nullptr ? "none that was validated" : OrNotKnown(fix->plan().summary()),
      facts.ResponseTimes().total ? " to its end" : " until now", omnix::FormatDuration(facts.Lasted()));
}

void WriteSummary(const Facts& facts, Blocks& out) {
  if (!facts.final) out.Paragraph("This report is written while the incident is handled; it changes.", "Live");
  out.Paragraph(SummaryText(facts));
  if (!facts.incident.ended_reason().empty()) out.Paragraph(facts.incident.ended_reason(), "Why it ended so");
}

void WriteDetails(const Facts& facts, Blocks& out) {
  const v1::Incident& incident = facts.incident;
  out.Table({{"", ""},
             {"Incident", incident.id()},
             {"Title", incident.title()},
             {"Severity", SeverityText(incident.severity())},
             {"State", facts.Outcome()},
             {"Trouble started", TimeText(incident.started_at())},
             {"Opened", TimeText(incident.opened_at())},
             {"Resolved", TimeText(incident.resolved_at())},
             {"Playbook", OrNotKnown(incident.pins().playbook_name())},
             {"System model", OrNotKnown(incident.pins().system_name())},
             {"System model hash", OrNotKnown(incident.pins().system_hash())},
             {"Report made", TimeText(ToProto(facts.now))}});
  std::vector<std::vector<std::string>> alerts = {{"Alert", "Severity", "Status", "Source", "Subject", "Since (UTC)"}};
  for (const auto& alert : incident.alerts()) {
    alerts.push_back({alert.title(), SeverityText(alert.severity()),
                      alert.status() == v1::ALERT_STATUS_RESOLVED ? "resolved" : "firing", OrNotKnown(alert.source()),
                      OrNotKnown(alert.subject()), TimeText(alert.starts_at())});
  }
  out.Table(std::move(alerts));
  const v1::AlertCounts& counts = incident.alert_counts();
  if (counts.total() > static_cast<uint32_t>(incident.alerts_size())) {
    out.Paragraph(fmt::format("The first and worst {} of {} alerts; {} fire, {} have cleared.", incident.alerts_size(),
                              counts.total(), counts.firing(), counts.resolved()));
  }
  for (const auto& suspect : incident.suspects()) {
    out.Item(fmt::format("{}: it {}", suspect.service(), suspect.reason()), "Suspect, by the dependencies alone");
  }
  for (const auto& note : incident.notes()) {
    out.Item(note.text(), fmt::format("Note by {} at {}", note.by(), TimeText(note.at())));
  }
}

void WriteImpact(const Facts& facts, Blocks& out) {
  out.Item(omnix::FormatDuration(facts.Lasted()), "Duration");
  out.Item(FailedChecks(facts), "What failed");
  std::string affected;
  for (const auto& alert : facts.incident.alerts()) {
    if (!alert.subject().empty() && affected.find(alert.subject()) == std::string::npos) {
      affected += (affected.empty() ? "" : ", ") + alert.subject();
    }
  }
  out.Item(OrNotKnown(affected), "Affected, as the alerts say");
  out.Item(kNotKnown, "Number of users and requests");
}

void WriteSymptoms(const Facts& facts, Blocks& out) {
  for (const auto& symptom : facts.incident.diagnosis().symptoms()) {
    out.Item(fmt::format("{} (found by: {})", symptom.summary(), OrNotKnown(symptom.check())),
             OrNotKnown(symptom.component()));
  }
}

void WriteMessages(const Facts& facts, Blocks& out) {
  const v1::Recovery* fix = facts.Validated();
  out.Paragraph(SummaryText(facts), "Internal");
  const std::string state = fix != nullptr ? "The fault has been corrected and the service has been verified to work."
                                           : "The service has not been verified to work yet; we go on with it.";
  out.Paragraph(
      fmt::format("From {} we have had a disturbance. {} Duration{}: {}.", TimeText(facts.incident.started_at()), state,
                  facts.ResponseTimes().total ? "" : " so far", omnix::FormatDuration(facts.Lasted())),
      "External");
}

}  // namespace omnix
