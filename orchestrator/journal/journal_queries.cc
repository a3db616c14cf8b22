// The reading half of SqliteJournal: short read transactions on read-only connections.
#include <google/protobuf/arena.h>

#include <algorithm>

#include "common/time.h"
#include "orchestrator/journal/names.h"
#include "orchestrator/journal/sqlite_journal.h"

namespace omnix {
namespace {

absl::Status ParseEvent(const SqliteConnection& db, int64_t row_id, std::string_view payload, v1::Event* event) {
  if (event->ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return absl::OkStatus();
  return DataLoss("{}: the event in row {} can't be read: run `omnix journal verify`", db.path(), row_id);
}

// A long read transaction would keep the write-ahead log from being checkpointed.
constexpr size_t kEventsInOneRead = 5'000;

int64_t AsLimit(size_t limit) { return static_cast<int64_t>(std::min<size_t>(limit, INT64_MAX)); }

absl::Status SetTime(const SqliteRow& row, int column, google::protobuf::Timestamp* out) {
  OMNIX_ASSIGN_OR_RETURN(const absl::Time time, ParseTime(row.Text(column)));
  *out = ToProto(time);
  return absl::OkStatus();
}

absl::StatusOr<v1::IncidentSummary> Summary(const SqliteRow& row) {
  v1::IncidentSummary summary;
  summary.set_id(row.Text(0));
  summary.set_title(row.Text(1));
  summary.set_severity(SeverityFromName(row.Text(2)));
  summary.set_phase(PhaseFromName(row.Text(3)));
  summary.set_paused(row.Integer(4) != 0);
  OMNIX_RETURN_IF_ERROR(SetTime(row, 5, summary.mutable_opened_at()));
  if (!row.IsNull(6)) OMNIX_RETURN_IF_ERROR(SetTime(row, 6, summary.mutable_resolved_at()));
  summary.set_alerts(static_cast<uint32_t>(row.Integer(7)));
  summary.set_alerts_firing(static_cast<uint32_t>(row.Integer(8)));
  return summary;
}

// Calls `visit` with the rows (id, payload, text, sequence) of the incident's events behind `after`, some thousand in
// each read transaction.
absl::Status VisitRows(ReaderPool& readers, const std::string& incident_id, uint64_t after, size_t limit,
                       const std::function<absl::Status(const SqliteConnection& db, const SqliteRow& row)>& visit) {
  while (limit > 0) {
    const size_t wanted = std::min(limit, kEventsInOneRead);
    size_t got = 0;
    OMNIX_RETURN_IF_ERROR(readers.With([&](SqliteConnection& db) {
      return db.Query(
          "SELECT id, payload, text, sequence FROM events "
          "WHERE opened_event = (SELECT id FROM events WHERE incident = ?1 AND sequence = 1) AND sequence > ?2 "
          "ORDER BY sequence LIMIT ?3",
          [&](const SqliteRow& row) {
            after = static_cast<uint64_t>(row.Integer(3));
            ++got;
            return visit(db, row);
          },
          incident_id, std::min<uint64_t>(after, INT64_MAX), AsLimit(wanted));
    }));
    if (got < wanted) break;
    limit -= got;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<v1::RecordedEvent>> SqliteJournal::ReadEvents(const std::string& incident_id, uint64_t after,
                                                                         size_t limit) {
  std::vector<v1::RecordedEvent> events;
  OMNIX_RETURN_IF_ERROR(
      VisitRows(readers_, incident_id, after, limit, [&](const SqliteConnection& db, const SqliteRow& row) {
        v1::RecordedEvent& recorded = events.emplace_back();
        recorded.set_text(row.Text(2));
        return ParseEvent(db, row.Integer(0), row.BlobView(1), recorded.mutable_event());
      }));
  return events;
}

absl::Status SqliteJournal::VisitEvents(const std::string& incident_id,
                                        const std::function<void(const v1::Event& event)>& visit) {
  // The start reads millions of events, each only to be folded: their parts need not be allocated one by one.
  google::protobuf::Arena arena;
  return VisitRows(readers_, incident_id, 0, SIZE_MAX,
                   [&](const SqliteConnection& db, const SqliteRow& row) -> absl::Status {
                     arena.Reset();
                     auto* event = google::protobuf::Arena::CreateMessage<v1::Event>(&arena);
                     OMNIX_RETURN_IF_ERROR(ParseEvent(db, row.Integer(0), row.BlobView(1), event));
                     visit(*event);
                     return absl::OkStatus();
                   });
}

absl::Status SqliteJournal::VisitRecentAlerts(size_t count, const std::function<void(const v1::Event& event)>& visit) {
  int64_t last = 0;
  const auto find_last = [&](SqliteConnection& db) -> absl::Status {
    OMNIX_ASSIGN_OR_RETURN(last, db.Integer("SELECT coalesce(max(id), 0) FROM events"));
    return absl::OkStatus();
  };
  OMNIX_RETURN_IF_ERROR(readers_.With(find_last));
  google::protobuf::Arena arena;
  constexpr auto kStep = static_cast<int64_t>(kEventsInOneRead);
  for (int64_t after = std::max<int64_t>(0, last - AsLimit(count)); after < last; after += kStep) {
    const auto read = [&](SqliteConnection& db) {
      return db.Query(
          "SELECT id, payload FROM events WHERE id > ?1 AND id <= ?2 AND type IN ('IncidentOpened', 'AlertAttached') "
          "ORDER BY id",
          [&](const SqliteRow& row) -> absl::Status {
            arena.Reset();
            auto* event = google::protobuf::Arena::CreateMessage<v1::Event>(&arena);
            OMNIX_RETURN_IF_ERROR(ParseEvent(db, row.Integer(0), row.BlobView(1), event));
            visit(*event);
            return absl::OkStatus();
          },
          after, std::min(after + kStep, last));
    };
    OMNIX_RETURN_IF_ERROR(readers_.With(read));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> SqliteJournal::OpenIncidentIds() {
  std::vector<std::string> incidents;
  OMNIX_RETURN_IF_ERROR(readers_.With([&](SqliteConnection& db) {
    incidents.clear();
    return db.Query("SELECT id FROM incidents WHERE ended = 0 ORDER BY opened_event", [&](const SqliteRow& row) {
      incidents.push_back(row.Text(0));
      return absl::OkStatus();
    });
  }));
  return incidents;
}

absl::StatusOr<std::string> SqliteJournal::ReadPin(const std::string& hash) {
  std::optional<std::string> content;
  OMNIX_RETURN_IF_ERROR(readers_.With([&](SqliteConnection& db) -> absl::Status {
    OMNIX_ASSIGN_OR_RETURN(content, db.Text("SELECT content FROM pins WHERE hash = ?1", hash));
    return absl::OkStatus();
  }));
  if (!content) return NotFound("{}: the journal has no pin {}", options_.path, hash);
  return *std::move(content);
}

absl::StatusOr<std::vector<v1::IncidentSummary>> SqliteJournal::ListIncidents(bool open_only, size_t limit) {
  constexpr const char* kAll =
      "SELECT id, title, severity, phase, paused, opened_at, resolved_at, alerts, alerts_firing FROM incidents "
      "ORDER BY opened_event DESC LIMIT ?1";
  constexpr const char* kOpen =
      "SELECT id, title, severity, phase, paused, opened_at, resolved_at, alerts, alerts_firing FROM incidents "
      "WHERE ended = 0 ORDER BY opened_event DESC LIMIT ?1";
  std::vector<v1::IncidentSummary> incidents;
  OMNIX_RETURN_IF_ERROR(readers_.With([&](SqliteConnection& db) {
    return db.Query(
        open_only ? kOpen : kAll,
        [&](const SqliteRow& row) -> absl::Status {
          OMNIX_ASSIGN_OR_RETURN(v1::IncidentSummary summary, Summary(row));
          incidents.push_back(std::move(summary));
          return absl::OkStatus();
        },
        AsLimit(limit));
  }));
  return incidents;
}

absl::StatusOr<uint32_t> SqliteJournal::LastIncidentNumber(const std::string& day) {
  int64_t number = 0;
  const std::string prefix = "INC-" + day + "-";
  OMNIX_RETURN_IF_ERROR(readers_.With([&](SqliteConnection& db) -> absl::Status {
    // ':' follows the digits: the range holds exactly the ids with this prefix and a number.
    OMNIX_ASSIGN_OR_RETURN(number, db.Integer("SELECT max(CAST(substr(id, length(?1) + 1) AS INTEGER)) FROM incidents "
                                              "WHERE id >= ?1 AND id < ?1 || ':'",
                                              prefix));
    return absl::OkStatus();
  }));
  return static_cast<uint32_t>(number);
}

}  // namespace omnix
