// Keeps `<state_dir>/<incident>/live.md` up to date while incidents are handled.
#pragma once

#include <grpcpp/channel.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/statusor.h"

namespace grpc {
class ClientContext;
}

namespace omnix {

// Incidents followed at a time; each has a thread and a stream of its own.
inline constexpr size_t kMaxFollowed = 64;

// `<state_dir>/<incident>`, made where it is missing. Errors: INVALID_ARGUMENT for an id that is no plain name (it
// becomes a folder's).
absl::StatusOr<std::string> IncidentFolder(const std::string& state_dir, const std::string& incident_id);

// Thread-safe. The destructor ends all streams and waits for its threads.
class LiveReports {
 public:
  explicit LiveReports(std::string state_dir);
  ~LiveReports();
  LiveReports(const LiveReports&) = delete;
  LiveReports& operator=(const LiveReports&) = delete;

  // Follows the incident on a thread of its own until it ends; reconnects. Does nothing where it is followed already.
  // Returns at once. Errors: INVALID_ARGUMENT (bad id), RESOURCE_EXHAUSTED (kMaxFollowed).
  absl::Status Follow(std::shared_ptr<grpc::Channel> channel, const std::string& incident_id);

 private:
  struct Follower;
  std::string state_dir_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Follower>> followers_;  // guarded by mutex_
};

}  // namespace omnix
