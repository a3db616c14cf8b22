// The gRPC pump: one stream to the orchestrator, as thin as it can be.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>
#include <omnix/v1/agent_link.grpc.pb.h>

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "absl/status/status.h"

namespace omnix {

struct ClientStreamEvents {
  // What is to be sent now; no items: nothing. Called while nothing is being written, never twice at a time.
  std::function<v1::AgentMessage()> next;
  // False: the stream is to be cancelled.
  std::function<bool(v1::OrchestratorMessage)> received;
  // Once, last.
  std::function<void(const absl::Status&)> ended;
};

// Thread-safe. Every method may be called until `ended` was; the owner keeps the stream at least that long and does not
// hold a lock that an event takes while calling one.
class ClientStream final : public grpc::ClientBidiReactor<v1::AgentMessage, v1::OrchestratorMessage> {
 public:
  explicit ClientStream(ClientStreamEvents events) : events_(std::move(events)) {}

  void Start(const std::shared_ptr<grpc::Channel>& channel);
  // There may be something to send.
  void Pump();
  // Ends the stream in an orderly way once what waits has been sent.
  void HalfClose();
  void Cancel() { context_.TryCancel(); }

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnWritesDoneDone(bool) override;
  void OnDone(const grpc::Status& status) override;

 private:
  void Write(std::unique_lock<std::mutex> lock);
  void Release(std::unique_lock<std::mutex> lock);

  const ClientStreamEvents events_;
  std::unique_ptr<v1::AgentLink::Stub> stub_;
  grpc::ClientContext context_;
  // Of the reading side alone.
  v1::OrchestratorMessage incoming_;
  // Of the write under way.
  v1::AgentMessage outgoing_;

  std::mutex mutex_;
  bool writing_ = false;
  // Pump was called during a write.
  bool again_ = false;
  bool half_close_ = false;
  bool half_closed_ = false;
  // Nothing more can be sent.
  bool broken_ = false;
  // Keeps OnDone away while a write may begin.
  bool held_ = false;
};

}  // namespace omnix
