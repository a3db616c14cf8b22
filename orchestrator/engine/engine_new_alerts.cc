// Alerts that no open incident has: they join one, take up an ended one again, wait for more of their kind, or open an
// incident.
#include <algorithm>

#include "common/crash_point.h"
#include "common/status.h"
#include "common/time.h"
#include "orchestrator/engine/engine.h"

namespace omnix {

std::optional<command::Flap> Engine::Flaps(const v1::Alert& alert, const GroupingRule& rule) {
  const FlapLimits& limits = rule.flapping;
  if (limits.off) return std::nullopt;
  const uint32_t changes = flaps_.Changed(alert.fingerprint(), clock_.Now(), limits.within);
  if (changes <= limits.changes) return std::nullopt;
  return command::Flap{changes, limits.within, limits.quiet};
}

absl::StatusOr<IngestedAlert> Engine::IngestCleared(v1::Alert alert, std::set<std::string>& touched) {
  if (pending_.Find(alert.fingerprint()) != nullptr) {
    pending_.Clears(alert, transaction_.batch.pending_alerts);
    return IngestedAlert{"", false, false, true};
  }
  const AlertIndex::Known* ended = alerts_.FindEnded(alert.fingerprint());
  // The clearing of something that no incident was opened for, or that has cleared already: there is nothing to keep.
  if (ended == nullptr || ended->status == v1::ALERT_STATUS_RESOLVED) return IngestedAlert{"", false, true};
  const std::string id = ended->incident_id();
  Flaps(alert, grouping_.For(alert));
  OMNIX_ASSIGN_OR_RETURN(Live * live, FindOrLoad(id));
  touched.insert(id);
  OMNIX_RETURN_IF_ERROR(Attach(*live, std::move(alert), std::nullopt));
  return IngestedAlert{id, false, false};
}

absl::StatusOr<bool> Engine::ReopenFor(const v1::Alert& alert, const std::string& ended_id, const GroupingRule& rule) {
  const auto found = FindOrLoad(ended_id);
  // It was pruned meanwhile.
  if (absl::IsNotFound(found.status())) return false;
  OMNIX_RETURN_IF_ERROR(found.status());
  Live& live = **found;
  const bool late = clock_.Now() - FromProto(live.state.resolved_at()) > rule.late_within;
  // One that people cancelled stays so.
  if (late || !Run(live, command::Reopen{"its alert fires again: " + alert.title()}).ok()) {
    CloseIfEnded(ended_id);
    return false;
  }
  OMNIX_CRASH_POINT("alerts.half_reopened");
  OMNIX_RETURN_IF_ERROR(ReclaimAlerts(live));
  return true;
}

std::vector<PendingAlerts::Taken> Engine::AlertsToOpen(v1::Alert alert, const GroupingRule& rule) {
  auto& changes = transaction_.batch.pending_alerts;
  const std::string fingerprint = alert.fingerprint();
  if (!rule.occurrences || (pending_.IsFull() && pending_.Find(fingerprint) == nullptr)) {
    const uint32_t occurrences = pending_.OccurrencesWith(alert);
    pending_.Remove(fingerprint, changes);
    std::vector<PendingAlerts::Taken> taken;
    taken.push_back({std::move(alert), occurrences});
    return taken;
  }
  if (!pending_.Fires(alert, rule.name, rule.CountedTogether(alert), *rule.occurrences, changes)) return {};
  return pending_.TakeGroup(fingerprint, changes);
}

void Engine::CountOccurrences(const std::string& id, const std::string& fingerprint, uint32_t occurrences) {
  for (uint32_t i = 1; i < occurrences; ++i) transaction_.batch.repeated_alerts.emplace_back(id, fingerprint);
}

absl::StatusOr<IngestedAlert> Engine::IngestNew(v1::Alert alert, std::set<std::string>& touched) {
  const GroupingRule& rule = grouping_.For(alert);
  std::string ended_id;
  std::optional<command::Flap> flap;
  if (const AlertIndex::Known* ended = alerts_.FindEnded(alert.fingerprint())) {
    ended_id = ended->incident_id();
    // While it waits for more occurrences it is sent again and again; that it fires anew was counted at first.
    const bool waits = pending_.Find(alert.fingerprint()) != nullptr;
    if (ended->status == v1::ALERT_STATUS_RESOLVED && !waits) flap = Flaps(alert, rule);
  }
  std::string id = joins_.Find(rule, rule.KeyOf(alert), alert.subject(), clock_.Now());
  // One that flaps takes nothing up again: its next incident stays open until it is steady.
  const bool may_reopen = id.empty() && !ended_id.empty() && !flap && rule.late == v1::LATE_ALERTS_REOPEN;
  if (may_reopen) {
    OMNIX_ASSIGN_OR_RETURN(const bool reopened, ReopenFor(alert, ended_id, rule));
    if (reopened) id = ended_id;
  }
  if (!id.empty()) {
    const std::string fingerprint = alert.fingerprint();
    const uint32_t occurrences = pending_.OccurrencesWith(alert);
    pending_.Remove(fingerprint, transaction_.batch.pending_alerts);
    OMNIX_ASSIGN_OR_RETURN(Live * live, FindOrLoad(id));
    touched.insert(id);
    OMNIX_RETURN_IF_ERROR(Attach(*live, std::move(alert), flap));
    CountOccurrences(id, fingerprint, occurrences);
    OMNIX_RETURN_IF_ERROR(NoteLate(id, ended_id, touched));
    return IngestedAlert{id, false, false};
  }
  std::vector<PendingAlerts::Taken> taken = AlertsToOpen(std::move(alert), rule);
  if (taken.empty()) {
    OMNIX_CRASH_POINT("alerts.pending");
    return IngestedAlert{"", false, false, true};
  }
  return OpenFor(std::move(taken), flap, touched);
}

absl::StatusOr<IngestedAlert> Engine::OpenFor(std::vector<PendingAlerts::Taken> taken,
                                              const std::optional<command::Flap>& flap,
                                              std::set<std::string>& touched) {
  OMNIX_CRASH_POINT("alerts.before_opening");
  std::set<std::string> ended;
  v1::Severity severity = v1::SEVERITY_UNKNOWN;
  std::vector<v1::Alert> alerts;
  std::vector<std::pair<std::string, uint32_t>> counts;
  for (auto& [opening, occurrences] : taken) {
    severity = std::max(severity, opening.severity());
    if (const AlertIndex::Known* known = alerts_.FindEnded(opening.fingerprint())) ended.insert(known->incident_id());
    counts.emplace_back(opening.fingerprint(), occurrences);
    alerts.push_back(std::move(opening));
  }
  const std::string by = alerts[0].source().empty() ? "alert" : alerts[0].source();
  const std::string title = alerts[0].title();
  OMNIX_ASSIGN_OR_RETURN(const std::string id, Open(title, severity, std::move(alerts), by, "", flap));
  for (const auto& [fingerprint, occurrences] : counts) CountOccurrences(id, fingerprint, occurrences);
  for (const auto& former : ended) OMNIX_RETURN_IF_ERROR(NoteLate(id, former, touched));
  return IngestedAlert{id, true, false};
}

}  // namespace omnix
