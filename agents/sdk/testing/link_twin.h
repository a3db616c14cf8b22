// A scripted orchestrator for tests of the SDK: a real gRPC server on loopback whose every answer the test gives.
#pragma once

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <omnix/v1/agent_link.grpc.pb.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "common/agent_link.h"
#include "common/time.h"

namespace omnix {

class LinkTwin final : public v1::AgentLink::Service {
 public:
  static constexpr auto kPatience = std::chrono::seconds(20);

  LinkTwin() = default;
  ~LinkTwin() override { Kill(); }

  // On a free port at first, on the same one later.
  void Start() {
    grpc::ServerBuilder builder;
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddListeningPort("127.0.0.1:" + std::to_string(port_), grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  // Cuts every stream.
  void Kill() {
    if (server_ == nullptr) return;
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
    server_.reset();
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  void Send(std::vector<v1::OrchestratorItem> items) {
    v1::OrchestratorMessage message;
    for (auto& item : items) *message.add_items() = std::move(item);
    const std::lock_guard lock(mutex_);
    if (stream_ != nullptr) stream_->Write(message);
  }

  // Takes the first item (from where the last call stopped) for which `matches`; an empty one after 20 s.
  v1::AgentItem Await(const std::function<bool(const v1::AgentItem&)>& matches) {
    std::unique_lock lock(mutex_);
    size_t at = 0;
    v1::AgentItem found;
    news_.wait_for(lock, kPatience, [&] {
      for (; at < items_.size(); ++at) {
        if (!matches(items_[at])) continue;
        found = items_[at];
        items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(at) + 1);
        return true;
      }
      return false;
    });
    return found;
  }
  v1::Hello AwaitHello() {
    return Await([](const auto& item) { return item.has_hello(); }).hello();
  }
  v1::Result AwaitResult() {
    return Await([](const auto& item) { return item.has_result(); }).result();
  }

  // Answers every heartbeat from now on.
  std::atomic<bool> renew = true;
  std::atomic<int> messages = 0;
  grpc::Status refuse_with;

 private:
  using Stream = grpc::ServerReaderWriter<v1::OrchestratorMessage, v1::AgentMessage>;
  grpc::Status Connect(grpc::ServerContext*, Stream* stream) override {
    if (!refuse_with.ok()) return refuse_with;
    {
      const std::lock_guard lock(mutex_);
      stream_ = stream;
    }
    v1::AgentMessage message;
    while (stream->Read(&message)) {
      ++messages;
      const std::lock_guard lock(mutex_);
      for (const auto& item : message.items()) {
        items_.push_back(item);
        if (!item.has_heartbeat() || !renew) continue;
        v1::OrchestratorMessage answer;
        answer.add_items()->mutable_renew()->set_heartbeat_number(item.heartbeat().number());
        stream->Write(answer);
      }
      news_.notify_all();
    }
    const std::lock_guard lock(mutex_);
    stream_ = nullptr;
    return grpc::Status::OK;
  }

  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  std::mutex mutex_;
  std::condition_variable news_;
  Stream* stream_ = nullptr;
  std::vector<v1::AgentItem> items_;
};

}  // namespace omnix
