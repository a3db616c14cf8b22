// One WatchIncident call: takes the engine's updates, queues them within bounds and writes them one after the other.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "orchestrator/api/operator_service.h"

namespace omnix {

// Deletes itself when gRPC is done with the call.
class WatchReactor final : public grpc::ServerWriteReactor<v1::WatchIncidentResponse> {
 public:
  static WatchReactor* Start(OperatorPort* port, const v1::WatchIncidentRequest& request, WatchBounds bounds);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  // What engine threads hold. It outlives the reactor, which is not touched any more once `finished`.
  class Sink final : public WatchSink {
   public:
    Sink(WatchReactor* reactor, WatchBounds bounds) : reactor_(reactor), bounds_(bounds) {}
    bool OnUpdate(const v1::WatchIncidentResponse& update) override;
    void OnEnd(const absl::Status& status) override;
    void WriteDone(bool ok);
    void Cancel();

   private:
    // Starts the next write, or finishes. One thread at a time: whoever set `writing_` or `finished_`.
    void Advance();
    void EndLocked(const absl::Status& status);

    WatchReactor* reactor_;
    const WatchBounds bounds_;
    std::mutex mutex_;
    std::deque<v1::WatchIncidentResponse> queue_;
    size_t queued_bytes_ = 0;
    bool writing_ = false;
    bool finished_ = false;
    // Set once: how the call ends when the queue is empty.
    std::optional<absl::Status> end_;
    // The one that is being written; its writer's alone.
    v1::WatchIncidentResponse current_;
  };

  WatchReactor(OperatorPort* port, WatchBounds bounds) : port_(port), sink_(std::make_shared<Sink>(this, bounds)) {}

  OperatorPort* port_;
  std::shared_ptr<Sink> sink_;
};

}  // namespace omnix
