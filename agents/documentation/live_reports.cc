#include "agents/documentation/live_reports.h"

#include <grpcpp/client_context.h>
#include <omnix/v1/operator.grpc.pb.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <condition_variable>

#include "agents/documentation/report.h"
#include "common/file.h"
#include "common/status.h"

namespace omnix {
namespace {

// At most two versions a second.
constexpr std::chrono::milliseconds kWriteInterval(500);
constexpr std::chrono::milliseconds kFirstRetry(200);
constexpr std::chrono::milliseconds kMaxRetry(5000);

bool HasEnded(v1::Phase phase) {
  return phase == v1::PHASE_RESOLVED || phase == v1::PHASE_ESCALATED || phase == v1::PHASE_CANCELLED;
}

}  // namespace

absl::StatusOr<std::string> IncidentFolder(const std::string& state_dir, const std::string& incident_id) {
  static constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  if (incident_id.empty() || incident_id.find_first_not_of(kAllowed) != std::string::npos) {
    return InvalidArgument("incident id '{}': only letters, digits, - and _ are expected", incident_id);
  }
  const std::string folder = state_dir + "/" + incident_id;
  OMNIX_RETURN_IF_ERROR(MakeFolders(folder));
  return folder;
}

// One thread reads the incident's stream and only says that something changed; another writes, so that a burst of
// events is one version.
struct LiveReports::Follower {
  Follower(std::shared_ptr<grpc::Channel> channel, std::string incident_id, std::string folder)
      : stub(v1::Operator::NewStub(std::move(channel))), id(std::move(incident_id)), path(folder + "/live.md") {
    reader = std::thread([this] { Read(); });
    writer = std::thread([this] { Write(); });
  }

  ~Follower() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
      if (context != nullptr) context->TryCancel();
    }
    changed.notify_all();
    reader.join();
    writer.join();
  }

  void Read() {
    auto retry = kFirstRetry;
    while (true) {
      grpc::ClientContext stream_context;
      {
        const std::lock_guard lock(mutex);
        if (stopping || ended) return;
        context = &stream_context;
      }
      if (ReadStream(stream_context)) retry = kFirstRetry;
      std::unique_lock lock(mutex);
      context = nullptr;
      // A stream that ended may mean that the incident did: the writer looks.
      dirty = true;
      changed.notify_all();
      changed.wait_for(lock, retry, [&] { return stopping || ended; });
      retry = std::min(retry * 2, kMaxRetry);
    }
  }

  // True where anything came.
  bool ReadStream(grpc::ClientContext& stream_context) {
    v1::WatchIncidentRequest request;
    request.set_incident_id(id);
    request.set_after_sequence(sequence);
    const auto stream = stub->WatchIncident(&stream_context, request);
    bool any = false;
    for (v1::WatchIncidentResponse update; stream->Read(&update); any = true) {
      if (!update.has_event()) continue;
      sequence = update.event().sequence();
      const std::lock_guard lock(mutex);
      dirty = true;
      changed.notify_all();
    }
    stream->Finish().ok();
    return any;
  }

  void Write() {
    std::unique_lock lock(mutex);
    while (!stopping && !ended) {
      changed.wait(lock, [&] { return dirty || stopping; });
      if (stopping) return;
      dirty = false;
      lock.unlock();
      const absl::StatusOr<v1::Phase> phase = WriteVersion();
      if (!phase.ok()) spdlog::warn("live report of {}: {}", id, Message(phase.status()));
      lock.lock();
      if (phase.ok() && HasEnded(*phase) && !dirty) {
        ended = true;
        changed.notify_all();
        if (context != nullptr) context->TryCancel();
        return;
      }
      // NOT_FOUND and others that no retry mends are left to the reader's next stream, which marks the report again.
      changed.wait_for(lock, kWriteInterval, [&] { return stopping; });
    }
  }

  absl::StatusOr<v1::Phase> WriteVersion() {
    OMNIX_ASSIGN_OR_RETURN(const Facts facts, ReadFacts(*stub, id, absl::Now()));
    OMNIX_RETURN_IF_ERROR(ReplaceFile(path, WriteMarkdown(facts)));
    return facts.incident.phase();
  }

  const std::unique_ptr<v1::Operator::Stub> stub;
  const std::string id;
  const std::string path;
  uint64_t sequence = 0;  // reader's thread only
  std::mutex mutex;
  std::condition_variable changed;
  grpc::ClientContext* context = nullptr;
  bool stopping = false;
  bool dirty = false;
  bool ended = false;
  std::thread reader;
  std::thread writer;
};

LiveReports::LiveReports(std::string state_dir) : state_dir_(std::move(state_dir)) {}

LiveReports::~LiveReports() = default;

absl::Status LiveReports::Follow(std::shared_ptr<grpc::Channel> channel, const std::string& incident_id) {
  OMNIX_ASSIGN_OR_RETURN(const std::string folder, IncidentFolder(state_dir_, incident_id));
  const std::lock_guard lock(mutex_);
  std::erase_if(followers_, [&](const auto& entry) {
    const std::lock_guard follower_lock(entry.second->mutex);
    return entry.second->ended;
  });
  if (followers_.contains(incident_id)) return absl::OkStatus();
  if (followers_.size() >= kMaxFollowed) {
    return ResourceExhausted("{} incidents are followed already; {} gets its final report only", kMaxFollowed,
                             incident_id);
  }
  followers_[incident_id] = std::make_unique<Follower>(std::move(channel), incident_id, folder);
  return absl::OkStatus();
}

}  // namespace omnix
