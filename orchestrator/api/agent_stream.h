// One agent's stream: the session that the engine holds, and the gRPC reactor below it.
#pragma once

#include <grpcpp/alarm.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/api/agent_link_service.h"
#include "orchestrator/api/log_budget.h"

namespace omnix {

class AgentStream;

// Outlives its stream as long as the engine holds it: calls after the end do nothing. Thread-safe.
//
// The outgoing side is a small state machine under one lock: `writing_` (one write at a time), `ending_` (the status to
// finish with once the queue is empty), `finished_` (the stream may be gone). gRPC is called with the lock released;
// the stream can't go away meanwhile, because it ends only after Finish, and Finish is only called while nothing is
// being written.
class StreamSession final : public AgentSession, public std::enable_shared_from_this<StreamSession> {
 public:
  StreamSession(AgentStream* stream, grpc::CallbackServerContext* context, const AgentLinkOptions& options)
      : stream_(stream), context_(context), options_(options) {}

  void Send(std::vector<v1::OrchestratorItem> items) override;
  void Close(const absl::Status& status) override { End(status, "closed: " + std::string(status.message())); }

  // Ends the stream with `status` once the queue is empty; `reason` is what the engine and the log are told. The first
  // call counts.
  void End(const absl::Status& status, const std::string& reason);
  // Ends it at once: what is queued is dropped, a write under way is cancelled.
  void Abort(const absl::Status& status, const std::string& reason);
  // The peer is gone.
  void Broken(const std::string& reason);
  void OnWriteDone(bool ok);

  // Ends the stream unless HelloCame is called in time.
  void StartHelloTimer();
  void HelloCame();

  // Reads the next message into `buffer`, unless the stream has ended; where too much waits for the engine, once it has
  // dealt with that.
  void ReadMore(grpc::ByteBuffer* buffer);
  // A message of this size goes to the engine, which answers each by ItemsTaken.
  void Delivered(size_t bytes);
  void ItemsTaken() override;

  bool ending() const;
  // Why it ended, and how. Valid after the end.
  std::string reason() const;
  absl::StatusCode ended_with() const;

 private:
  void EndLocked(const absl::Status& status, const std::string& reason);
  void AbortLocked(const absl::Status& status, const std::string& reason);
  void QueueLocked(v1::OrchestratorItem item);
  v1::OrchestratorMessage TakeBatchLocked();
  // Starts what is to be done next, with the lock released.
  void Proceed(std::unique_lock<std::mutex> lock);

  AgentStream* const stream_;
  grpc::CallbackServerContext* const context_;
  const AgentLinkOptions options_;

  mutable std::mutex mutex_;
  std::deque<v1::OrchestratorItem> queue_;
  size_t queued_bytes_ = 0;
  bool writing_ = false;
  std::optional<absl::Status> ending_;
  bool finished_ = false;
  std::string reason_;
  // Sizes of the messages that the engine has not dealt with, oldest first.
  std::deque<size_t> delivered_;
  size_t delivered_bytes_ = 0;
  // The reading that waits for the engine.
  grpc::ByteBuffer* paused_read_ = nullptr;
  grpc::Alarm hello_timer_;
  grpc::Alarm flush_timer_;

  // Owned by the write under way.
  grpc::ByteBuffer write_buffer_;
};

// Reads the stream and passes on what came. Deletes itself after `on_done` was called.
class AgentStream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  AgentStream(AgentPort* port, grpc::CallbackServerContext* context, const AgentLinkOptions& options,
              std::shared_ptr<LogBudget> log, std::function<void(AgentStream*)> on_done);

  const std::shared_ptr<StreamSession>& session() const { return session_; }
  // Begins to read; not before the stream is registered.
  void Begin();

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override { session_->OnWriteDone(ok); }
  void OnCancel() override;
  void OnDone() override;

 private:
  absl::Status Receive(v1::AgentMessage message, size_t bytes);
  absl::Status ReceiveHello(v1::Hello hello);
  void ReadAgain(size_t items, size_t bytes);
  void LogEnd() const;

  AgentPort* const port_;
  grpc::CallbackServerContext* const context_;
  const AgentLinkOptions options_;
  const std::shared_ptr<LogBudget> log_;
  const std::function<void(AgentStream*)> on_done_;
  const std::string peer_;
  const std::shared_ptr<StreamSession> session_;

  // Of the reading side alone.
  grpc::ByteBuffer read_buffer_;
  bool connected_ = false;
  std::string name_;
  absl::Time window_start_;
  size_t window_items_ = 0;
  size_t window_bytes_ = 0;
  grpc::Alarm pace_timer_;
};

}  // namespace omnix
