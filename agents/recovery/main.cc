// omnix-recovery-agent: plans, applies and rolls back changes, within what its own configuration allows.
#include <omnix/v1/recovery_config.pb.h>

#include <string>

#include "agents/recovery/config.h"
#include "agents/recovery/recovery_agent.h"
#include "agents/sdk/agent.h"
#include "common/file.h"
#include "common/status.h"

int main(int argc, char** argv) {
  omnix::AgentMain agent("recovery", "Plans, applies and rolls back changes, within what its configuration allows.");
  std::string path;
  omnix::v1::RecoveryConfig config;
  agent.flags().add_option("--config", path, "What this agent may change (YAML)");
  return agent.Run(argc, argv, [&](omnix::Agent& a) -> absl::Status {
    OMNIX_ASSIGN_OR_RETURN(config, omnix::LoadRecoveryConfig(path));
    OMNIX_RETURN_IF_ERROR(omnix::MakeFolders(config.state_dir()));
    a.Offer("recovery.plan", [&](omnix::TaskContext& context) { return omnix::HandlePlan(context, config); });
    a.Offer("recovery.apply", [&](omnix::TaskContext& context) { return omnix::HandleApply(context, config); });
    a.Offer("recovery.rollback", [&](omnix::TaskContext& context) { return omnix::HandleRollback(context, config); });
    return absl::OkStatus();
  });
}
