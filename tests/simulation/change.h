// recovery.apply and recovery.rollback, as agents/recovery does them, step by step in virtual time.
#pragma once

#include <memory>

#include "tests/simulation/agent.h"

namespace omnix::simulation {

void BeginChange(const std::shared_ptr<AgentProcess>& process, v1::Assign assign);

// With the outcome that the SDK gives a handler's answer.
v1::Result SucceededResult(const v1::LeaseId& lease, v1::Product product);
v1::Result FailedResult(const v1::LeaseId& lease, const absl::Status& status);

}  // namespace omnix::simulation
