#include "orchestrator/intake/heartbeat_ledger.h"

#include <algorithm>

#include "common/status.h"
#include "common/time.h"

namespace omnix {
namespace {

absl::Duration Allowed(const v1::AlertSource& source) {
  return FromProto(source.interval()) + FromProto(source.grace());
}

v1::Alert AlertOf(const v1::AlertSource& source, bool overdue, absl::Time wall) {
  v1::Alert alert;
  alert.set_fingerprint(HeartbeatFingerprint(source.name()));
  alert.set_title(fmt::format("no sign of life from {}", source.name()));
  alert.set_description(fmt::format(
      "{} must show that it lives every {}, and has been silent for longer than {}: alerts of it may be "
      "missing. See whether it runs and reaches omnixd.",
      source.name(), omnix::FormatDuration(FromProto(source.interval())), omnix::FormatDuration(Allowed(source))));
  alert.set_severity(source.severity());
  alert.set_status(overdue ? v1::ALERT_STATUS_FIRING : v1::ALERT_STATUS_RESOLVED);
  alert.set_subject(source.service());
  alert.set_source("heartbeat");
  (*alert.mutable_labels())["source"] = source.name();
  *(overdue ? alert.mutable_starts_at() : alert.mutable_ends_at()) = ToProto(wall);
  return alert;
}

}  // namespace

std::string HeartbeatFingerprint(const std::string& source) { return "heartbeat-" + source; }

HeartbeatLedger::HeartbeatLedger(const v1::AlertSources& sources, const std::set<std::string>& firing,
                                 absl::Duration now) {
  for (const v1::AlertSource& declared : sources.sources()) {
    const bool fires = firing.contains(HeartbeatFingerprint(declared.name()));
    sources_[declared.name()] = {declared, now + Allowed(declared), fires, fires};
  }
}

void HeartbeatLedger::Sign(Source& source, absl::Duration now) {
  source.deadline = now + Allowed(source.declared);
  source.awaits_sign = false;
}

bool HeartbeatLedger::IsOverdue(const Source& source, absl::Duration now) {
  return source.awaits_sign || now >= source.deadline;
}

absl::Status HeartbeatLedger::Sign(const std::string& name, absl::Duration now) {
  const auto found = sources_.find(name);
  if (found != sources_.end()) {
    Sign(found->second, now);
    return absl::OkStatus();
  }
  std::vector<std::string> names;
  for (const auto& [known, source] : sources_) names.push_back(known);
  return NotFound("no source of this name is declared; known: {}",
                  names.empty() ? "none (omnixd --sources FILE)" : fmt::format("{}", fmt::join(names, ", ")));
}

bool HeartbeatLedger::SignByFormat(const std::string& format, absl::Duration now) {
  bool any = false;
  for (auto& [name, source] : sources_) {
    if (source.declared.format().empty() || source.declared.format() != format) continue;
    Sign(source, now);
    any = true;
  }
  return any;
}

std::vector<v1::Alert> HeartbeatLedger::Due(absl::Duration now, absl::Time wall) const {
  std::vector<v1::Alert> due;
  for (const auto& [name, source] : sources_) {
    const bool overdue = IsOverdue(source, now);
    if (overdue != source.told_overdue) due.push_back(AlertOf(source.declared, overdue, wall));
  }
  return due;
}

void HeartbeatLedger::Told(const std::vector<v1::Alert>& alerts) {
  for (const v1::Alert& alert : alerts) {
    const auto found = sources_.find(alert.labels().at("source"));
    if (found != sources_.end()) found->second.told_overdue = alert.status() == v1::ALERT_STATUS_FIRING;
  }
}

absl::Duration HeartbeatLedger::NextDue() const {
  absl::Duration next = absl::InfiniteDuration();
  for (const auto& [name, source] : sources_) {
    if (!source.told_overdue) next = std::min(next, source.deadline);
  }
  return next;
}

}  // namespace omnix
