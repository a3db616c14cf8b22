#include "agents/sdk/agent.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "agents/sdk/agent_impl.h"
#include "common/status.h"

namespace omnix {

Agent::Agent(AgentOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Agent::~Agent() = default;

void Agent::Offer(const std::string& task_type, TaskHandler handler, const std::string& input_schema_json) {
  if (!impl_->handlers.emplace(task_type, std::move(handler)).second) {
    impl_->offered = InvalidArgument("task type {} is offered twice", task_type);
    return;
  }
  v1::TaskType& type = impl_->task_types.emplace_back();
  type.set_name(task_type);
  type.set_input_schema_json(input_schema_json);
}

void Agent::OnPrepare(std::function<absl::Status(const v1::Prepare&)> handler) {
  impl_->on_prepare = std::move(handler);
}
std::shared_ptr<grpc::Channel> Agent::channel() const { return impl_->channel; }
absl::Status Agent::Run() { return impl_->Run(); }
void Agent::Stop() { impl_->Stop(); }
bool Agent::idle() const { return impl_->idle(); }

}  // namespace omnix
