// The ceiling's agent: answers each assignment at once, what came together in one message.
//
//   omnix-bench-ceiling-agent PORT BOARD EVIDENCE_PER_STEP
#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <omnix/v1/agent_link.grpc.pb.h>

#include <condition_variable>
#include <cstdlib>
#include <mutex>

#include "tests/bench/support/board.h"
#include "tests/bench/support/child.h"
#include "tests/bench/support/payload.h"

namespace omnix::bench {
namespace {

class AgentStream final : public grpc::ClientBidiReactor<v1::AgentMessage, v1::OrchestratorMessage> {
 public:
  AgentStream(v1::AgentLink::Stub& stub, Board* board, int evidence) : board_(board), evidence_(evidence) {
    stub.async()->Connect(&context_, this);
    outgoing_.add_items()->mutable_hello()->set_link_version(1);
    writing_ = true;
    StartWrite(&outgoing_);
    StartRead(&incoming_);
    StartCall();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    v1::AgentMessage answer;
    for (const auto& item : incoming_.items()) Answer(item.assign(), answer);
    Send(std::move(answer));
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

  void OnDone(const grpc::Status&) override {
    const std::lock_guard lock(mutex_);
    done_ = true;
    wake_.notify_all();
  }

  void Wait() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [&] { return done_; });
  }

 private:
  void Answer(const v1::Assign& assign, v1::AgentMessage& answer) {
    board_->StepBegan(assign.lease().fencing_token(), false);
    for (int i = 0; i < evidence_; ++i) {
      auto* found = answer.add_items()->mutable_evidence();
      *found->mutable_lease() = assign.lease();
      *found->add_evidence() = SomeEvidence(i);
    }
    auto* result = answer.add_items()->mutable_result();
    *result->mutable_lease() = assign.lease();
    result->set_outcome(v1::OUTCOME_SUCCEEDED);
    result->mutable_product()->set_output_json(SomeOutput());
  }

  void Send(v1::AgentMessage&& message) {
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

  Board* const board_;
  const int evidence_;
  grpc::ClientContext context_;
  v1::OrchestratorMessage incoming_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool writing_ = false;
  bool done_ = false;
  v1::AgentMessage outgoing_;
  v1::AgentMessage waiting_;
};

}  // namespace
}  // namespace omnix::bench

int main(int argc, char** argv) {
  using namespace omnix;
  if (argc != 4) bench::Die("usage: omnix-bench-ceiling-agent PORT BOARD EVIDENCE_PER_STEP");
  const auto channel = grpc::CreateChannel(fmt::format("127.0.0.1:{}", argv[1]), grpc::InsecureChannelCredentials());
  if (!channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10))) bench::Die("no server");
  const auto stub = v1::AgentLink::NewStub(channel);
  bench::AgentStream stream(*stub, bench::OpenBoard(argv[2]), std::atoi(argv[3]));
  stream.Wait();
}
