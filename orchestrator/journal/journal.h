// The append-only record of events: the only truth. One writer (the engine's journal thread), many readers.
#pragma once

#include <omnix/v1/event.pb.h>
#include <omnix/v1/grouping.pb.h>
#include <omnix/v1/operator.pb.h>

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace omnix {

// A content that incidents run by (playbook, system model, policy), kept once under its hash.
struct Pin {
  std::string hash;     // lower-case hex SHA-256 of content
  std::string kind;     // "playbook", "system", "policy"
  std::string content;  // the message, serialized deterministically
};

// What is written in one transaction: all of it is durable, or none.
struct Batch {
  // In order; sequence numbers continue each incident's without a gap. `text` is the line for people.
  std::vector<v1::RecordedEvent> events;
  // The events serialized (SerializeDeterministically), one for each. May be left empty: then the journal does it, at
  // the writer's cost, which is the dearer one.
  std::vector<std::string> payloads;
  std::vector<Pin> pins;
  // Alerts that repeat a known one without changing it (same incident, same status), as (incident, fingerprint): their
  // count grows by one.
  std::vector<std::pair<std::string, std::string>> repeated_alerts;
  // Alerts that wait for more occurrences, by fingerprint, as they are now; without a value: they wait no more.
  std::vector<std::pair<std::string, std::optional<v1::PendingAlert>>> pending_alerts;
  // Agents as they are now (projection only; they are no part of an incident).
  std::vector<v1::AgentInfo> agents;

  bool empty() const {
    return events.empty() && pins.empty() && repeated_alerts.empty() && pending_alerts.empty() && agents.empty();
  }
};

// What an incident's alert was last read as.
struct ListedAlertKey {
  std::string incident_id;
  v1::AlertKey alert;
};

class Journal {
 public:
  virtual ~Journal() = default;

  // Writes the batch and makes it durable before it returns OK. Errors:
  // - INVALID_ARGUMENT (a sequence number that repeats or leaves a gap; an event without incident, time or kind; a
  // repeat
  //   of an alert that the incident does not have): nothing was written, and the journal stays usable.
  // - UNAVAILABLE (disk full, locked, read-only, I/O: the message says which and where), DATA_LOSS (corrupt): nothing
  // of
  //   the batch counts as kept, and the journal takes nothing more until Reopen() succeeded.
  // Writer thread only.
  virtual absl::Status Append(const Batch& batch) = 0;

  // What may be done between transactions, once the last one's results are out: moves what the log gathered to its
  // final place, where it is time. Errors as Append's. Writer thread only.
  virtual absl::Status Maintain() = 0;

  // Closes, opens and verifies the journal's end again after a failed Append. If the failed batch turns out to have
  // been kept after all, its events are visible to readers from then on: the caller re-reads the incidents that the
  // batch touched. Writer thread only.
  virtual absl::Status Reopen() = 0;

  // Events of an incident with sequence > after, in order, at most limit. Empty where the incident is unknown.
  // Thread-safe.
  virtual absl::StatusOr<std::vector<v1::RecordedEvent>> ReadEvents(const std::string& incident_id, uint64_t after,
                                                                    size_t limit) = 0;

  // Calls `visit` with all events of an incident, in order; an event ends with its call. `visit` does not use the
  // journal. Thread-safe.
  virtual absl::Status VisitEvents(const std::string& incident_id,
                                   const std::function<void(const v1::Event& event)>& visit) = 0;

  // Calls `visit` with those of the last `count` events of all incidents, in the order in which they were kept, that
  // read alerts: IncidentOpened and AlertAttached; an event ends with its call. `visit` does not use the journal.
  // Thread-safe.
  virtual absl::Status VisitRecentAlerts(size_t count, const std::function<void(const v1::Event& event)>& visit) = 0;

  // Incidents that are neither Resolved nor Cancelled, in the order of their opening. Thread-safe.
  virtual absl::StatusOr<std::vector<std::string>> OpenIncidentIds() = 0;

  // Content of a pin. Errors: NOT_FOUND. Thread-safe.
  virtual absl::StatusOr<std::string> ReadPin(const std::string& hash) = 0;

  // Newest first. Thread-safe. `waiting_for` stays empty: only the engine knows it.
  virtual absl::StatusOr<std::vector<v1::IncidentSummary>> ListIncidents(bool open_only, size_t limit) = 0;
  virtual absl::StatusOr<std::vector<v1::ListedAlert>> ListAlerts(bool firing_only, size_t limit) = 0;
  // The same without the alerts themselves: many at little cost.
  virtual absl::StatusOr<std::vector<ListedAlertKey>> ListAlertKeys(bool firing_only, size_t limit) = 0;

  // Calls `visit` with what all alerts of an incident were last read as, in no order. Thread-safe.
  virtual absl::Status ReadAlertKeys(const std::string& incident_id,
                                     const std::function<void(const v1::AlertKey& alert)>& visit) = 0;
  // These alerts of an incident, as they were last read, in the order of their fingerprints. Errors: NOT_FOUND names
  // the first that it does not have. Thread-safe.
  virtual absl::StatusOr<std::vector<v1::Alert>> ReadAlerts(const std::string& incident_id,
                                                            const std::set<std::string>& fingerprints) = 0;
  // All alerts that wait for more occurrences. Thread-safe.
  virtual absl::StatusOr<std::vector<v1::PendingAlert>> ReadPendingAlerts() = 0;

  // Highest counter used for incidents of a UTC day ("2025-09-04"), 0 where there is none. Thread-safe.
  virtual absl::StatusOr<uint32_t> LastIncidentNumber(const std::string& day) = 0;
};

}  // namespace omnix
