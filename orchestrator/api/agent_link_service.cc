#include "orchestrator/api/agent_link_service.h"

#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/status.h"
#include "orchestrator/api/agent_stream.h"

namespace omnix {
namespace {

// Ends a stream before it began.
class RefusedStream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  explicit RefusedStream(const absl::Status& status) {
    Finish(grpc::Status(static_cast<grpc::StatusCode>(status.code()), Message(status)));
  }
  void OnDone() override { delete this; }
};

}  // namespace

// The open streams, and whether new ones are taken. Thread-safe.
class AgentLinkService::Streams {
 public:
  explicit Streams(size_t max_streams) : max_streams_(max_streams) {}

  absl::Status Add(AgentStream* stream) {
    const std::lock_guard lock(mutex_);
    if (closed_.has_value()) return *closed_;
    if (sessions_.size() >= max_streams_)
      return ResourceExhausted("{} agent streams are open, no further one is taken", max_streams_);
    sessions_.emplace(stream, stream->session());
    return absl::OkStatus();
  }

  void Remove(AgentStream* stream) {
    const std::lock_guard lock(mutex_);
    sessions_.erase(stream);
  }

  void Close(const absl::Status& status) {
    std::vector<std::shared_ptr<StreamSession>> sessions;
    {
      const std::lock_guard lock(mutex_);
      closed_ = status;
      for (const auto& [stream, session] : sessions_) sessions.push_back(session);
    }
    for (const auto& session : sessions) session->Close(status);
  }

 private:
  std::mutex mutex_;
  const size_t max_streams_;
  std::optional<absl::Status> closed_;
  std::unordered_map<AgentStream*, std::shared_ptr<StreamSession>> sessions_;
};

AgentLinkService::AgentLinkService(AgentPort* port, const AgentLinkOptions& options)
    : streams_(std::make_shared<Streams>(options.max_streams)),
      log_(std::make_shared<LogBudget>(options.max_log_lines)),
      port_(port),
      options_(options) {}

AgentLinkService::~AgentLinkService() = default;

void AgentLinkService::Shutdown(const absl::Status& status) { streams_->Close(status); }

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* AgentLinkService::Connect(
    grpc::CallbackServerContext* context) {
  auto stream = std::make_unique<AgentStream>(port_, context, options_, log_,
                                              [streams = streams_](AgentStream* done) { streams->Remove(done); });
  if (const absl::Status status = streams_->Add(stream.get()); !status.ok()) return new RefusedStream(status);
  stream->Begin();
  return stream.release();
}

}  // namespace omnix
