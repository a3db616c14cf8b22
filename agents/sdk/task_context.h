// The TaskContext that a handler gets.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "agents/sdk/agent_impl.h"

namespace omnix {

class LinkedTaskContext final : public TaskContext {
 public:
  // Neither is owned; both outlive it.
  LinkedTaskContext(Agent::Impl* agent, const v1::Assign& assign, Json input)
      : agent_(agent), assign_(assign), input_(std::move(input)) {}

  const v1::LeaseId& lease() const override { return assign_.lease(); }
  const std::string& type() const override { return assign_.type(); }
  const Json& input() const override { return input_; }
  const std::string& idempotency_key() const override { return assign_.idempotency_key(); }
  bool cancelled() const override { return !agent_->MayAct(assign_.lease()).ok(); }
  absl::Status MayAct() const override { return agent_->MayAct(assign_.lease()); }
  absl::Duration remaining() const override { return agent_->Remaining(assign_.lease()); }
  void Progress(const std::string& text, uint32_t percent) override;
  void Report(v1::Evidence evidence) override;
  std::shared_ptr<grpc::Channel> channel() const override { return agent_->channel; }

 private:
  Agent::Impl* const agent_;
  const v1::Assign& assign_;
  const Json input_;
  std::atomic<int> reported_ = 0;
  std::atomic<bool> overflow_logged_ = false;
};

}  // namespace omnix
