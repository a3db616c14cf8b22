// The journal's twin in memory, with a disk that can be full and reads that can fail; it shows what it keeps to the
// checkers.
#pragma once

#include <string>
#include <vector>

#include "common/status.h"
#include "orchestrator/journal/memory_journal.h"
#include "tests/simulation/bench.h"

namespace omnix::simulation {

class FaultyJournal final : public Journal {
 public:
  explicit FaultyJournal(Bench& bench) : bench_(bench), random_(bench.random.Fork()) {}

  // From now until then nothing can be written.
  void FillDisk(absl::Duration until) { full_until_ = until; }
  // omnixd is started again: what failed before is opened anew.
  absl::Status Open() { return Reopen(); }

  absl::Status Append(const Batch& batch) override {
    if (bench_.now() < full_until_) return broken_ = Unavailable("simulated: no space left on the disk");
    if (!broken_.ok()) return broken_;
    if (bench_.Strikes(Fault::kCommitRefused, random_, kCommitFails)) {
      journal_.FailNextAppend(MemoryJournal::Fault::kBeforeKeeping);
    } else if (bench_.Strikes(Fault::kCommitDoneButToldFailed, random_, kCommitFails)) {
      journal_.FailNextAppend(MemoryJournal::Fault::kAfterKeeping);
      kept_ = true;
    } else {
      kept_ = true;
    }
    const absl::Status status = journal_.Append(batch);
    if (absl::IsInvalidArgument(status)) {
      bench_.promises.Break("the engine writes what the journal can take", Message(status));
    } else if (kept_) {
      bench_.promises.Kept(batch);
    }
    kept_ = false;
    return status;
  }

  absl::Status Maintain() override { return journal_.Maintain(); }

  absl::Status Reopen() override {
    if (bench_.now() < full_until_) return Unavailable("simulated: no space left on the disk");
    broken_ = absl::OkStatus();
    return journal_.Reopen();
  }

  absl::StatusOr<std::vector<std::string>> OpenIncidentIds() override {
    if (bench_.Strikes(Fault::kReadError, random_, kReadFails)) return Unavailable("simulated: input/output error");
    return journal_.OpenIncidentIds();
  }
  absl::Status VisitEvents(const std::string& incident_id,
                           const std::function<void(const v1::Event& event)>& visit) override {
    return journal_.VisitEvents(incident_id, visit);
  }
  absl::Status VisitRecentAlerts(size_t count, const std::function<void(const v1::Event& event)>& visit) override {
    return journal_.VisitRecentAlerts(count, visit);
  }
  absl::StatusOr<std::vector<v1::RecordedEvent>> ReadEvents(const std::string& incident_id, uint64_t after,
                                                            size_t limit) override {
    return journal_.ReadEvents(incident_id, after, limit);
  }
  absl::StatusOr<std::string> ReadPin(const std::string& hash) override { return journal_.ReadPin(hash); }
  absl::StatusOr<std::vector<v1::IncidentSummary>> ListIncidents(bool open_only, size_t limit) override {
    return journal_.ListIncidents(open_only, limit);
  }
  absl::StatusOr<std::vector<v1::ListedAlert>> ListAlerts(bool firing_only, size_t limit) override {
    return journal_.ListAlerts(firing_only, limit);
  }
  absl::StatusOr<std::vector<ListedAlertKey>> ListAlertKeys(bool firing_only, size_t limit) override {
    return journal_.ListAlertKeys(firing_only, limit);
  }
  absl::Status ReadAlertKeys(const std::string& incident_id,
                             const std::function<void(const v1::AlertKey& alert)>& visit) override {
    return journal_.ReadAlertKeys(incident_id, visit);
  }
  absl::StatusOr<std::vector<v1::Alert>> ReadAlerts(const std::string& incident_id,
                                                    const std::set<std::string>& fingerprints) override {
    return journal_.ReadAlerts(incident_id, fingerprints);
  }
  absl::StatusOr<std::vector<v1::PendingAlert>> ReadPendingAlerts() override { return journal_.ReadPendingAlerts(); }
  absl::StatusOr<uint32_t> LastIncidentNumber(const std::string& day) override {
    return journal_.LastIncidentNumber(day);
  }

 private:
  static constexpr double kCommitFails = 0.02;
  static constexpr double kReadFails = 0.3;

  Bench& bench_;
  Random random_;
  MemoryJournal journal_;
  absl::Duration full_until_;
  absl::Status broken_;
  bool kept_ = false;
};

}  // namespace omnix::simulation
