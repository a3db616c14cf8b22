// The table alerts, and the counts of alerts of incidents.
#include "orchestrator/core/names.h"
#include "orchestrator/journal/names.h"
#include "orchestrator/journal/projection.h"

namespace omnix {

absl::Status Projector::AddRepeats() {
  return db_.Run(
      "UPDATE alerts SET count = count + c.repeats FROM alert_counts AS c "
      "WHERE c.incident = alerts.incident AND c.fingerprint = alerts.fingerprint");
}

absl::Status Projector::Attached(const Context& at, const v1::AlertAttached& event) {
  OMNIX_ASSIGN_OR_RETURN(const bool is_new, PutAlert(at, event.alert()));
  Last& last = touched_[at.opened_event];
  last.severity = event.severity();
  if (event.has_counts()) {
    last.counts = event.counts();
  } else {
    last.new_alerts += is_new ? 1 : 0;
  }
  return absl::OkStatus();
}

void Projector::Counted(const Context& at, v1::Severity severity, const v1::AlertCounts& counts) {
  Last& last = touched_[at.opened_event];
  last.severity = severity;
  last.counts = counts;
}

// The rows go to the other incident, or where that has the alert already (a split opened it with it), their counts.
absl::Status Projector::Moved(const Context& at, const v1::AlertsMoved& event) {
  Counted(at, event.severity(), event.counts());
  if (event.all()) {
    OMNIX_RETURN_IF_ERROR(
        db_.Run("UPDATE OR IGNORE alerts SET incident = ?2 WHERE incident = ?1", at.incident, event.to()));
    OMNIX_RETURN_IF_ERROR(
        db_.Run("UPDATE alerts SET count = count + (SELECT f.count FROM alerts AS f WHERE f.incident = ?1 AND "
                "f.fingerprint = alerts.fingerprint) WHERE incident = ?2 AND fingerprint IN "
                "(SELECT fingerprint FROM alerts WHERE incident = ?1)",
                at.incident, event.to()));
    return db_.Run("DELETE FROM alerts WHERE incident = ?1", at.incident);
  }
  for (const auto& fingerprint : event.fingerprints()) {
    OMNIX_RETURN_IF_ERROR(
        db_.Run("UPDATE alerts SET count = count - 1 + coalesce((SELECT count FROM alerts WHERE incident = ?1 AND "
                "fingerprint = ?3), 1) WHERE incident = ?2 AND fingerprint = ?3",
                at.incident, event.to(), fingerprint));
    OMNIX_RETURN_IF_ERROR(
        db_.Run("DELETE FROM alerts WHERE incident = ?1 AND fingerprint = ?2", at.incident, fingerprint));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> Projector::PutAlert(const Context& at, const v1::Alert& alert) {
  const auto time = [&](bool has, const google::protobuf::Timestamp& when) {
    return has ? std::optional(given_times_.Format(when)) : std::nullopt;
  };
  const auto write = [&](const char* sql) {
    return db_.Run(sql, at.id, at.incident, alert.fingerprint(), alert.title(), SeverityName(alert.severity()),
                   AlertStatusName(alert.status()), alert.subject(), alert.source(),
                   time(alert.has_starts_at(), alert.starts_at()), time(alert.has_ends_at(), alert.ends_at()),
                   alert.has_received_at() ? std::optional(times_.Format(alert.received_at())) : std::nullopt);
  };
  // Not one statement with ON CONFLICT DO UPDATE: SQLite would keep every page that it touches until its end.
  OMNIX_RETURN_IF_ERROR(
      write("INSERT OR IGNORE INTO alerts (event, incident, fingerprint, title, severity, status, subject, source, "
            "starts_at, ends_at, received_at, count) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 1)"));
  if (db_.changes() > 0) return true;
  OMNIX_RETURN_IF_ERROR(
      write("UPDATE alerts SET event = ?1, title = ?4, severity = ?5, status = ?6, subject = ?7, source = ?8, "
            "starts_at = ?9, ends_at = ?10, received_at = ?11, count = count + 1 "
            "WHERE incident = ?2 AND fingerprint = ?3"));
  return false;
}

}  // namespace omnix
