// The ceiling's orchestrator: takes results, makes them and the next assignments durable in one commit, sends the
// assignments. No state machine, no checks, no leases: what is left is the transport and the disk.
//
//   omnix-bench-ceiling-server PORT DATABASE IN_FLIGHT
#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <omnix/v1/agent_link.grpc.pb.h>
#include <sqlite3.h>

#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <vector>

#include "tests/bench/ceiling/store.h"
#include "tests/bench/support/child.h"

namespace omnix::bench {
namespace {

constexpr uint32_t kAgents = 5;

class Stream final : public grpc::ServerBidiReactor<v1::AgentMessage, v1::OrchestratorMessage> {
 public:
  using Received = std::function<void(Stream*, v1::AgentMessage&&)>;
  explicit Stream(Received received) : received_(std::move(received)) { StartRead(&incoming_); }

  void Send(v1::OrchestratorMessage&& message) {
    {
      const std::lock_guard lock(mutex_);
      if (writing_) {
        waiting_.mutable_items()->MergeFrom(message.items());
        return;
      }
      writing_ = true;
      outgoing_ = std::move(message);
    }
    StartWrite(&outgoing_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    received_(this, std::move(incoming_));
    incoming_.Clear();
    StartRead(&incoming_);
  }

  void OnWriteDone(bool ok) override {
    {
      const std::lock_guard lock(mutex_);
      writing_ = ok && waiting_.items_size() > 0;
      if (!writing_) return;
      outgoing_.Clear();
      outgoing_.Swap(&waiting_);
    }
    StartWrite(&outgoing_);
  }

  void OnDone() override { delete this; }

 private:
  const Received received_;
  v1::AgentMessage incoming_;
  std::mutex mutex_;
  bool writing_ = false;
  v1::OrchestratorMessage outgoing_;
  v1::OrchestratorMessage waiting_;
};

class Ceiling final : public v1::AgentLink::CallbackService {
 public:
  Ceiling(const std::string& database, uint32_t in_flight) : store_(database, in_flight), in_flight_(in_flight) {}

  grpc::ServerBidiReactor<v1::AgentMessage, v1::OrchestratorMessage>* Connect(grpc::CallbackServerContext*) override {
    return new Stream([this](Stream* stream, v1::AgentMessage&& message) { Receive(stream, std::move(message)); });
  }

  void Run() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [&] { return agents_.size() == kAgents; });
    lock.unlock();
    std::vector<v1::AgentMessage> messages;
    Begin();
    for (uint32_t incident = 0; incident < in_flight_; ++incident) Assign(incident, 0);
    End();
    while (true) {
      lock.lock();
      wake_.wait(lock, [&] { return !results_.empty(); });
      messages.clear();
      messages.swap(results_);
      lock.unlock();
      Begin();
      for (const auto& message : messages) {
        for (const auto& item : message.items()) Take(item);
      }
      End();
    }
  }

 private:
  void Receive(Stream* stream, v1::AgentMessage&& message) {
    const std::lock_guard lock(mutex_);
    if (message.items_size() > 0 && message.items(0).has_hello()) {
      agents_.push_back(stream);
      outgoing_.resize(agents_.size());
    } else {
      results_.push_back(std::move(message));
    }
    wake_.notify_one();
  }

  void Begin() { store_.Begin(); }

  void Take(const v1::AgentItem& item) {
    if (item.has_evidence()) {
      const auto& found = item.evidence();
      store_.Evidence(static_cast<uint32_t>(found.lease().fencing_token()), found.evidence(0).excerpt());
      return;
    }
    const auto& result = item.result();
    const auto incident = static_cast<uint32_t>(result.lease().fencing_token());
    const uint32_t task = result.lease().attempt();
    store_.TaskDone(incident, task, result.product().output_json());
    Assign(incident, (task + 1) % kTasksOfIncident);
  }

  void Assign(uint32_t incident, uint32_t task) {
    const uint32_t agent = (incident + task) % kAgents;
    store_.TaskAssigned(incident, task, agent);
    auto* assign = outgoing_[agent].add_items()->mutable_assign();
    assign->mutable_lease()->set_incident_id("INC-2025-09-04-00001");
    assign->mutable_lease()->set_task_id("investigating-1/step");
    assign->mutable_lease()->set_attempt(task);
    assign->mutable_lease()->set_fencing_token(incident);
    assign->set_type("bench.step");
    assign->set_input_json("{}");
  }

  void End() {
    store_.Commit();
    for (uint32_t i = 0; i < kAgents; ++i) {
      if (outgoing_[i].items_size() > 0) agents_[i]->Send(std::move(outgoing_[i]));
      outgoing_[i].Clear();
    }
  }

  CeilingStore store_;
  const uint32_t in_flight_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Stream*> agents_;
  std::vector<v1::AgentMessage> results_;
  std::vector<v1::OrchestratorMessage> outgoing_;
};

}  // namespace
}  // namespace omnix::bench

int main(int argc, char** argv) {
  if (argc != 4) omnix::bench::Die("usage: omnix-bench-ceiling-server PORT DATABASE IN_FLIGHT");
  omnix::bench::Ceiling ceiling(argv[2], static_cast<uint32_t>(std::atoi(argv[3])));
  grpc::ServerBuilder builder;
  builder.AddListeningPort(fmt::format("127.0.0.1:{}", argv[1]), grpc::InsecureServerCredentials());
  builder.RegisterService(&ceiling);
  const auto server = builder.BuildAndStart();
  if (server == nullptr) omnix::bench::Die("the port is taken");
  ceiling.Run();
}
