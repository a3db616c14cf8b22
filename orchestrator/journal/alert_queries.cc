// What SqliteJournal reads of alerts.
#include <algorithm>

#include "common/status.h"
#include "orchestrator/journal/names.h"
#include "orchestrator/journal/sqlite_journal.h"

namespace omnix {
namespace {

// Finds alerts in the events that brought them. One event may have many: the last one is kept.
class AlertReader {
 public:
  explicit AlertReader(const SqliteConnection& db) : db_(db) {}

  // `payload` is that of the event in row `id`.
  absl::Status Read(int64_t id, std::string_view payload, const std::string& fingerprint, v1::Alert* alert) {
    if (id != id_ && !event_.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) event_.Clear();
    id_ = id;
    if (event_.alert_attached().alert().fingerprint() == fingerprint) {
      *alert = event_.alert_attached().alert();
      return absl::OkStatus();
    }
    for (const v1::Alert& brought : event_.incident_opened().alerts()) {
      if (brought.fingerprint() != fingerprint) continue;
      *alert = brought;
      return absl::OkStatus();
    }
    return DataLoss("{}: row {} has no alert {}: run `omnix journal verify`, then `omnix journal rebuild`", db_.path(),
                    id, fingerprint);
  }

 private:
  const SqliteConnection& db_;
  int64_t id_ = 0;
  v1::Event event_;
};

}  // namespace

absl::StatusOr<std::vector<v1::ListedAlert>> SqliteJournal::ListAlerts(bool firing_only, size_t limit) {
  constexpr const char* kAll =
      "SELECT event, (SELECT payload FROM events WHERE id = event), fingerprint, incident, count FROM alerts "
      "ORDER BY event DESC, fingerprint DESC LIMIT ?1";
  constexpr const char* kFiring =
      "SELECT event, (SELECT payload FROM events WHERE id = event), fingerprint, incident, count FROM alerts "
      "WHERE status = 'firing' ORDER BY event DESC, fingerprint DESC LIMIT ?1";
  std::vector<v1::ListedAlert> alerts;
  OMNIX_RETURN_IF_ERROR(readers_.With([&](SqliteConnection& db) {
    AlertReader reader(db);
    return db.Query(
        firing_only ? kFiring : kAll,
        [&](const SqliteRow& row) -> absl::Status {
          v1::ListedAlert& listed = alerts.emplace_back();
          listed.set_incident_id(row.Text(3));
          listed.set_count(static_cast<uint64_t>(row.Integer(4)));
          return reader.Read(row.Integer(0), row.BlobView(1), row.Text(2), listed.mutable_alert());
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
        "SELECT event, (SELECT payload FROM events WHERE id = event) FROM alerts "
        "WHERE incident = ?1 AND fingerprint = ?2",
        [&](const SqliteRow& row) {
          return AlertReader(db).Read(row.Integer(0), row.BlobView(1), fingerprint, &found.emplace());
        },
        incident_id, fingerprint);
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
