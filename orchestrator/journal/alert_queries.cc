// What SqliteJournal reads of alerts.
#include <algorithm>
#include <map>
#include <unordered_map>

#include "common/status.h"
#include "orchestrator/journal/names.h"
#include "orchestrator/journal/sqlite_journal.h"

namespace omnix {
namespace {

// A row of the table: which event read the alert last, and what its columns say of it.
struct AlertRow {
  int64_t event = 0;
  std::string incident_id;
  uint64_t count = 0;
  v1::Alert columns;
};

// Of: event, incident, count, fingerprint, title, severity, status, source.
AlertRow ReadRow(const SqliteRow& row) {
  AlertRow read;
  read.event = row.Integer(0);
  read.incident_id = row.Text(1);
  read.count = static_cast<uint64_t>(row.Integer(2));
  read.columns.set_fingerprint(row.Text(3));
  read.columns.set_title(row.Text(4));
  read.columns.set_severity(SeverityFromName(row.Text(5)));
  read.columns.set_status(AlertStatusFromName(row.Text(6)));
  read.columns.set_source(row.Text(7));
  return read;
}

// Finds alerts in the events that read them last. An event may have brought many, and is read once for those that
// follow each other.
class AlertReader {
 public:
  explicit AlertReader(SqliteConnection& db) : db_(db) {}

  // What the columns say, where the event is gone or does not have the alert (`omnix journal verify` tells why).
  absl::StatusOr<v1::Alert> Read(const AlertRow& row) {
    if (row.event != event_id_) OMNIX_RETURN_IF_ERROR(ReadEvent(row.event));
    const auto found = alerts_.find(row.columns.fingerprint());
    return found == alerts_.end() ? row.columns : *found->second;
  }

 private:
  absl::Status ReadEvent(int64_t id) {
    event_.Clear();
    alerts_.clear();
    OMNIX_RETURN_IF_ERROR(db_.Query(
        "SELECT payload FROM events WHERE id = ?1",
        [&](const SqliteRow& row) {
          const std::string_view payload = row.BlobView(0);
          if (!event_.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) event_.Clear();
          return absl::OkStatus();
        },
        id));
    event_id_ = id;
    const v1::Alert& attached = event_.alert_attached().alert();
    if (event_.has_alert_attached()) alerts_.emplace(attached.fingerprint(), &attached);
    for (const v1::Alert& alert : event_.incident_opened().alerts()) alerts_.emplace(alert.fingerprint(), &alert);
    return absl::OkStatus();
  }

  SqliteConnection& db_;
  int64_t event_id_ = 0;
  v1::Event event_;
  // By fingerprint; of event_.
  std::unordered_map<std::string_view, const v1::Alert*> alerts_;
};

int64_t AsLimit(size_t limit) { return static_cast<int64_t>(std::min<size_t>(limit, INT64_MAX)); }

absl::StatusOr<std::vector<AlertRow>> ListRows(SqliteConnection& db, bool firing_only, size_t limit) {
  // One part for each AlertStatusName: SQLite walks their ranges of the index and merges them, without sorting all.
  constexpr const char* kAll =
      "SELECT event, incident, count, fingerprint, title, severity, status, source FROM alerts "
      "WHERE status = 'firing' "
      "UNION ALL SELECT event, incident, count, fingerprint, title, severity, status, source FROM alerts "
      "WHERE status = 'resolved' "
      "UNION ALL SELECT event, incident, count, fingerprint, title, severity, status, source FROM alerts "
      "WHERE status = 'unknown' "
      "ORDER BY event DESC, fingerprint DESC LIMIT ?1";
  constexpr const char* kFiring =
      "SELECT event, incident, count, fingerprint, title, severity, status, source FROM alerts "
      "WHERE status = 'firing' ORDER BY event DESC, fingerprint DESC LIMIT ?1";
  std::vector<AlertRow> rows;
  OMNIX_RETURN_IF_ERROR(db.Query(
      firing_only ? kFiring : kAll,
      [&](const SqliteRow& row) {
        rows.push_back(ReadRow(row));
        return absl::OkStatus();
      },
      AsLimit(limit)));
  return rows;
}

}  // namespace

absl::StatusOr<std::vector<v1::ListedAlert>> SqliteJournal::ListAlerts(bool firing_only, size_t limit) {
  std::vector<v1::ListedAlert> alerts;
  const auto list = [&](SqliteConnection& db) -> absl::Status {
    OMNIX_ASSIGN_OR_RETURN(const auto rows, ListRows(db, firing_only, limit));
    AlertReader reader(db);
    for (const AlertRow& row : rows) {
      v1::ListedAlert& listed = alerts.emplace_back();
      listed.set_incident_id(row.incident_id);
      listed.set_count(row.count);
      OMNIX_ASSIGN_OR_RETURN(*listed.mutable_alert(), reader.Read(row));
    }
    return absl::OkStatus();
  };
  OMNIX_RETURN_IF_ERROR(readers_.With(list));
  return alerts;
}

absl::StatusOr<std::vector<ListedAlertKey>> SqliteJournal::ListAlertKeys(bool firing_only, size_t limit) {
  std::vector<ListedAlertKey> keys;
  const auto list = [&](SqliteConnection& db) -> absl::Status {
    OMNIX_ASSIGN_OR_RETURN(const auto rows, ListRows(db, firing_only, limit));
    for (const AlertRow& row : rows) {
      ListedAlertKey& key = keys.emplace_back();
      key.incident_id = row.incident_id;
      key.alert.set_fingerprint(row.columns.fingerprint());
      key.alert.set_status(row.columns.status());
      key.alert.set_severity(row.columns.severity());
    }
    return absl::OkStatus();
  };
  OMNIX_RETURN_IF_ERROR(readers_.With(list));
  return keys;
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

absl::StatusOr<std::vector<v1::Alert>> SqliteJournal::ReadAlerts(const std::string& incident_id,
                                                                 const std::set<std::string>& fingerprints) {
  std::map<std::string, v1::Alert> found;
  const auto read = [&](SqliteConnection& db) -> absl::Status {
    std::vector<AlertRow> rows;
    const auto keep = [&rows](const SqliteRow& row) {
      rows.push_back(ReadRow(row));
      return absl::OkStatus();
    };
    for (const std::string& fingerprint : fingerprints) {
      OMNIX_RETURN_IF_ERROR(
          db.Query("SELECT event, incident, count, fingerprint, title, severity, status, source FROM alerts "
                   "WHERE incident = ?1 AND fingerprint = ?2",
                   keep, incident_id, fingerprint));
    }
    std::ranges::sort(rows, {}, &AlertRow::event);
    AlertReader reader(db);
    for (const AlertRow& row : rows) {
      OMNIX_ASSIGN_OR_RETURN(found[row.columns.fingerprint()], reader.Read(row));
    }
    return absl::OkStatus();
  };
  OMNIX_RETURN_IF_ERROR(readers_.With(read));
  std::vector<v1::Alert> alerts;
  for (const std::string& fingerprint : fingerprints) {
    const auto alert = found.find(fingerprint);
    if (alert == found.end()) return NotFound("{} has no alert {}", incident_id, fingerprint);
    alerts.push_back(std::move(alert->second));
  }
  return alerts;
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
