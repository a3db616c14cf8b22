// What SqliteJournal reads of alerts.
#include <algorithm>

#include "common/status.h"
#include "orchestrator/journal/names.h"
#include "orchestrator/journal/sqlite_journal.h"

namespace omnix {
namespace {

absl::Status ParseAlert(const SqliteConnection& db, const std::string& payload, v1::Alert* alert) {
  if (alert->ParseFromString(payload)) return absl::OkStatus();
  return DataLoss("{}: an alert can't be read: run `omnix journal rebuild`", db.path());
}

}  // namespace

absl::StatusOr<std::vector<v1::ListedAlert>> SqliteJournal::ListAlerts(bool firing_only, size_t limit) {
  constexpr const char* kAll =
      "SELECT event, payload, incident, count FROM alerts ORDER BY event DESC, fingerprint DESC LIMIT ?1";
  constexpr const char* kFiring =
      "SELECT event, payload, incident, count FROM alerts WHERE status = 'firing' "
      "ORDER BY event DESC, fingerprint DESC LIMIT ?1";
  std::vector<v1::ListedAlert> alerts;
  OMNIX_RETURN_IF_ERROR(readers_.With([&](SqliteConnection& db) {
    return db.Query(
        firing_only ? kFiring : kAll,
        [&](const SqliteRow& row) -> absl::Status {
          v1::ListedAlert& listed = alerts.emplace_back();
          listed.set_incident_id(row.Text(2));
          listed.set_count(static_cast<uint64_t>(row.Integer(3)));
          return ParseAlert(db, row.Blob(1), listed.mutable_alert());
        },
        static_cast<int64_t>(std::min<size_t>(limit, INT64_MAX)));
  }));
  return alerts;
}

absl::Status SqliteJournal::ReadAlertKeys(const std::string& incident_id,
                                          const std::function<void(const v1::AlertKey& alert)>& visit) {
  return readers_.With([&](SqliteConnection& db) {
    return db.Query(
        "SELECT fingerprint, status, severity FROM alerts WHERE incident = ?1",
        [&](const SqliteRow& row) {
          v1::AlertKey key;
          key.set_fingerprint(row.Text(0));
          key.set_status(AlertStatusFromName(row.Text(1)));
          key.set_severity(SeverityFromName(row.Text(2)));
          visit(key);
          return absl::OkStatus();
        },
        incident_id);
  });
}

absl::StatusOr<v1::Alert> SqliteJournal::ReadAlert(const std::string& incident_id, const std::string& fingerprint) {
  std::optional<v1::Alert> found;
  OMNIX_RETURN_IF_ERROR(readers_.With([&](SqliteConnection& db) {
    return db.Query(
        "SELECT payload FROM alerts WHERE incident = ?1 AND fingerprint = ?2",
        [&](const SqliteRow& row) { return ParseAlert(db, row.Blob(0), &found.emplace()); }, incident_id, fingerprint);
  }));
  if (!found) return NotFound("{} has no alert {}", incident_id, fingerprint);
  return *std::move(found);
}

absl::StatusOr<std::vector<v1::PendingAlert>> SqliteJournal::ReadPendingAlerts() {
  std::vector<v1::PendingAlert> pending;
  OMNIX_RETURN_IF_ERROR(readers_.With([&](SqliteConnection& db) {
    return db.Query("SELECT payload, fingerprint FROM pending_alerts", [&](const SqliteRow& row) {
      if (pending.emplace_back().ParseFromString(row.Blob(0))) return absl::OkStatus();
      return DataLoss("{}: the pending alert {} can't be read", db.path(), row.Text(1));
    });
  }));
  return pending;
}

}  // namespace omnix
