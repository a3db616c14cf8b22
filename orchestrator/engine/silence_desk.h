// Stands between the intake and the engine: holds back what an active silence matches, and takes it up when the silence
// ends. Its own thread looks once a second at the wall clock, so a clock that jumps ends a silence early or late, but
// loses no alert.
#pragma once

#include <omnix/v1/system_model.pb.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "orchestrator/core/silence_rules.h"
#include "orchestrator/engine/ports.h"
#include "orchestrator/journal/silence_log.h"

namespace omnix {

// What became of one alert.
struct DeskResult : IngestedAlert {
  // The silence that holds it back; there is no incident then. Empty: none does.
  std::string silenced_by = {};
};

struct SilenceDeskParts {
  std::unique_ptr<SilenceLog> log;
  const Clock* clock = nullptr;
  // The engine's intake.
  OperatorPort* port = nullptr;
  // Each service with those that need it, directly or through others.
  std::map<std::string, std::set<std::string>> dependents;
};

// The services of a model, each with its dependents.
std::map<std::string, std::set<std::string>> DependentsOf(const v1::SystemModel& system);

// Thread-safe. A call that records something waits for the disk.
class SilenceDesk {
 public:
  // Reads what is recorded; nothing is taken up before Start. Errors: the log's.
  static absl::StatusOr<std::unique_ptr<SilenceDesk>> Create(SilenceDeskParts parts);
  ~SilenceDesk();
  SilenceDesk(const SilenceDesk&) = delete;
  SilenceDesk& operator=(const SilenceDesk&) = delete;
  void Start();
  // What the thread does once a second: takes up what no silence holds any more, and waits for the engine to keep it.
  void Look();
  // Takes nothing up any more. May be called more than once.
  void Stop();

  // As OperatorPort::IngestAlerts. What is held back is durable, and says so in `silenced_by`.
  void IngestAlerts(std::vector<v1::Alert> alerts, Callback<std::vector<DeskResult>> done);

  // Errors: as of DecideAdd and DecideExpire; the log's. NOT_FOUND for a service that the system model does not have.
  absl::StatusOr<v1::SilenceView> Add(const v1::AddSilenceRequest& request);
  absl::StatusOr<v1::SilenceView> Expire(const v1::ExpireSilenceRequest& request);
  absl::StatusOr<v1::SilenceView> Get(const v1::GetSilenceRequest& request) const;
  // What is held back and fires, as far as is known.
  std::vector<v1::Alert> Held() const;
  v1::ListSilencesResponse List(const v1::ListSilencesRequest& request) const;
  // The silences that are in force now.
  void AddTo(v1::GetStatusResponse* status) const;

 private:
  explicit SilenceDesk(SilenceDeskParts parts);
  // These want mutex_ held.
  absl::Status Record(const std::vector<v1::SilenceEvent>& events);
  v1::SilenceView View(const v1::Silence& silence) const;
  absl::Status RecordRepeats();
  absl::Status Decide(std::vector<v1::Alert>& alerts, std::vector<DeskResult>& results, std::vector<size_t>& passed);

  void Run();
  void TakeUp(std::vector<v1::Alert> alerts);

  const SilenceDeskParts parts_;
  mutable std::mutex mutex_;
  std::condition_variable wakes_;
  SilenceState state_;
  // Repeats that are not recorded yet, by silence.
  std::map<std::string, uint64_t> repeats_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace omnix
