// The journal's twin in memory, for simulations and tests of what stands on it: the same promises and refusals, and
// faults on demand.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "orchestrator/journal/journal.h"

namespace omnix {

// Thread-safe. What it holds outlives a simulated crash as long as the object does.
class MemoryJournal : public Journal {
 public:
  enum class Fault {
    // Nothing of the batch is kept.
    kBeforeKeeping,
    // All of it is kept, but the caller is told that it failed.
    kAfterKeeping,
  };

  // The next Append of a batch that is not empty fails so; like a failed disk, everything is refused until Reopen.
  void FailNextAppend(Fault fault);
  // The next `count` calls of Reopen fail with UNAVAILABLE.
  void FailReopens(int count);
  // The next `count` calls of OpenIncidentIds fail with UNAVAILABLE.
  void FailReads(int count);

  absl::Status Append(const Batch& batch) override;
  absl::Status Maintain() override { return absl::OkStatus(); }
  absl::Status Reopen() override;
  absl::StatusOr<std::vector<v1::RecordedEvent>> ReadEvents(const std::string& incident_id, uint64_t after,
                                                            size_t limit) override;
  absl::Status VisitEvents(const std::string& incident_id,
                           const std::function<void(const v1::Event& event)>& visit) override;
  absl::Status VisitRecentAlerts(size_t count, const std::function<void(const v1::Event& event)>& visit) override;
  absl::StatusOr<std::vector<std::string>> OpenIncidentIds() override;
  absl::StatusOr<std::string> ReadPin(const std::string& hash) override;
  absl::StatusOr<std::vector<v1::IncidentSummary>> ListIncidents(bool open_only, size_t limit) override;
  absl::StatusOr<std::vector<v1::ListedAlert>> ListAlerts(bool firing_only, size_t limit) override;
  absl::StatusOr<std::vector<ListedAlertKey>> ListAlertKeys(bool firing_only, size_t limit) override;
  absl::Status ReadAlertKeys(const std::string& incident_id,
                             const std::function<void(const v1::AlertKey& alert)>& visit) override;
  absl::StatusOr<std::vector<v1::Alert>> ReadAlerts(const std::string& incident_id,
                                                    const std::set<std::string>& fingerprints) override;
  absl::StatusOr<std::vector<v1::PendingAlert>> ReadPendingAlerts() override;
  absl::StatusOr<uint32_t> LastIncidentNumber(const std::string& day) override;

 private:
  struct Stored {
    v1::IncidentSummary summary;
    // For the numbers of the summary.
    v1::Incident state;
    std::vector<v1::RecordedEvent> events;
  };
  struct StoredAlert {
    // Number of the event that read it last.
    uint64_t event = 0;
    v1::ListedAlert listed;
  };

  absl::Status Check(const Batch& batch) const;
  void Keep(const Batch& batch);
  void Project(Stored& incident, const v1::Event& event);
  void PutAlert(Stored& incident, const v1::Alert& alert);
  void MoveAlerts(const std::string& from, const v1::AlertsMoved& moved);
  std::vector<const Stored*> InOrderOfOpening(bool open_only) const;

  std::mutex mutex_;
  std::map<std::string, Stored> incidents_;
  // Ids in the order in which they were opened.
  std::vector<std::string> opened_;
  // By incident and fingerprint.
  std::map<std::pair<std::string, std::string>, StoredAlert> alerts_;
  std::map<std::string, v1::PendingAlert> pending_;
  std::map<std::string, std::string> pins_;
  uint64_t events_ = 0;
  // Those that read alerts: their numbers, and where they are (incident, index).
  std::map<uint64_t, std::pair<std::string, size_t>> readings_;
  absl::Status failure_;
  bool fail_before_ = false;
  bool fail_after_ = false;
  int failing_reopens_ = 0;
  int failing_reads_ = 0;
};

}  // namespace omnix
