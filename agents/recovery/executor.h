// recovery.apply and recovery.rollback: a plan carried out at most once, or taken back, whatever crashes in between.
//
// The order is: locks, intent in the action journal, backup, files, commands, verification, result. A new attempt reads
// the action journal and the world and goes on: a file that has its new content is done; a command whose end was not
// recorded runs again only where that does no harm.
#pragma once

#include <omnix/v1/action.pb.h>
#include <omnix/v1/recovery_config.pb.h>
#include <omnix/v1/system_model.pb.h>

#include <string>

#include "absl/status/statusor.h"
#include "agents/sdk/agent.h"

namespace omnix {

struct ApplyRequest {
  v1::Plan plan;
  v1::SystemModel system;
  std::string approved_hash;
  bool approval_granted = false;
};

// Application.applied is false where all that was done has been undone. Errors: FAILED_PRECONDITION (hash, approval,
// world moved, plan used up: nothing was done), UNAVAILABLE (resource busy), ABORTED and DEADLINE_EXCEEDED (the lease
// is lost: another attempt goes on from here).
absl::StatusOr<v1::Application> ApplyPlan(const ApplyRequest& request, const v1::RecoveryConfig& config,
                                          TaskContext& context);

// Restores the files that the plan wrote and that still have its content; others are left and named. `complete` only
// where every file was then looked at and holds the content of before_sha256, also for a plan that was never applied
// here. Whatever comes of it, the plan is used up. Needs the plan and state_dir only.
absl::StatusOr<v1::Rollback> RollBackPlan(const v1::Plan& plan, const v1::SystemModel& system,
                                          const v1::RecoveryConfig& config, TaskContext& context);

}  // namespace omnix
