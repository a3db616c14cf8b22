#include "agents/recovery/executor.h"

#include <algorithm>
#include <utility>

#include "agents/recovery/action_journal.h"
#include "agents/recovery/edit/unified_diff.h"
#include "agents/recovery/plan_hash.h"
#include "agents/recovery/plan_run.h"
#include "agents/recovery/planner.h"
#include "agents/recovery/resource_lock.h"
#include "agents/recovery/safe_file.h"
#include "common/clock.h"
#include "common/crash_point.h"
#include "common/file.h"
#include "common/hash.h"
#include "common/json.h"
#include "common/redact.h"
#include "common/status.h"
#include "common/time.h"

namespace omnix {
namespace {

std::string RepairFile(const v1::RecoveryConfig& config, const std::string& resource) {
  return config.state_dir() + "/repairs/" + Sha256Hex(resource) + ".json";
}

absl::Status CheckHash(const v1::Plan& plan) {
  if (plan.hash() != PlanHash(plan))
    return FailedPrecondition("the plan is not the one that its hash {} names: it was changed", plan.hash());
  return absl::OkStatus();
}

template <typename Message>
absl::StatusOr<Message> Recorded(const Json& entry) {
  Message message;
  OMNIX_RETURN_IF_ERROR(JsonToMessage(DumpJson(entry.at("result")), &message, "action journal"));
  return message;
}

absl::StatusOr<ResourceLocks> Lock(const v1::Plan& plan, const v1::RecoveryConfig& config) {
  std::vector<std::string> resources(plan.resources().begin(), plan.resources().end());
  for (const auto& file : plan.files()) resources.push_back("file:" + file.path());
  for (const auto& command : plan.commands()) resources.push_back("service:" + command.service());
  resources.push_back("plan:" + plan.hash());
  return ResourceLocks::Acquire(config.lock_dir(), resources);
}

absl::Status CheckCoolDown(const v1::Plan& plan, const v1::RecoveryConfig& config) {
  const absl::Duration cool_down = FromProto(config.cool_down());
  for (const std::string& resource : plan.resources()) {
    const auto text = ReadFile(RepairFile(config, resource));
    if (!text.ok() || cool_down <= absl::ZeroDuration()) continue;
    OMNIX_ASSIGN_OR_RETURN(const Json repair, ParseJson(*text));
    OMNIX_ASSIGN_OR_RETURN(const absl::Time at, ParseTime(repair.value("at", "")));
    const absl::Duration since = SystemClock().Now() - at;
    if (repair.value("plan", "") == plan.hash() || since >= cool_down) continue;
    return FailedPrecondition("{} was repaired {} ago by another plan: its cool-down is {}", resource,
                              omnix::FormatDuration(since), omnix::FormatDuration(cool_down));
  }
  return absl::OkStatus();
}

// Before anything is begun: every command allowed, every file as the plan saw it (or as it wants it).
absl::Status CheckWorld(const ApplyRequest& request, const v1::RecoveryConfig& config) {
  const SafeFiles files({config.allowed_paths().begin(), config.allowed_paths().end()});
  for (const auto& command : request.plan.commands()) {
    OMNIX_RETURN_IF_ERROR(AllowedPlannedCommand(request.system, config, command.service(), command.name()).status());
  }
  for (const auto& file : request.plan.files()) {
    OMNIX_ASSIGN_OR_RETURN(const FileState now, files.Read(file.path()));
    const std::string hash = Sha256Hex(now.content);
    if (hash == file.before_sha256() || hash == file.after_sha256()) continue;
    const std::string difference = MakeUnifiedDiff(file.path(), now.content, file.after()).text;
    return FailedPrecondition(
        "{} was changed since the plan was made: make a new plan. From what it is now to the plan's:\n{}", file.path(),
        Excerpt(difference));
  }
  return absl::OkStatus();
}

absl::Status RecordRepair(const v1::Plan& plan, const v1::RecoveryConfig& config) {
  OMNIX_RETURN_IF_ERROR(MakeFolders(config.state_dir() + "/repairs"));
  for (const std::string& resource : plan.resources()) {
    const Json repair = {{"resource", resource}, {"plan", plan.hash()}, {"at", omnix::FormatTime(SystemClock().Now())}};
    OMNIX_RETURN_IF_ERROR(ReplaceFile(RepairFile(config, resource), DumpJson(repair)));
  }
  return absl::OkStatus();
}

std::string JournalPath(const v1::Plan& plan, const v1::RecoveryConfig& config) {
  return config.state_dir() + "/journal/" + plan.hash() + ".jsonl";
}

}  // namespace

absl::StatusOr<v1::Application> ApplyPlan(const ApplyRequest& request, const v1::RecoveryConfig& config,
                                          TaskContext& context) {
  const v1::Plan& plan = request.plan;
  OMNIX_RETURN_IF_ERROR(CheckHash(plan));
  if (!request.approval_granted) return FailedPrecondition("the plan is not approved");
  if (request.approved_hash != plan.hash())
    return FailedPrecondition("the approval is for plan {}, not for {}", request.approved_hash, plan.hash());
  OMNIX_RETURN_IF_ERROR(context.MayAct());
  OMNIX_CRASH_POINT("recovery.before_lock");
  OMNIX_ASSIGN_OR_RETURN(const ResourceLocks locks, Lock(plan, config));
  OMNIX_CRASH_POINT("recovery.locked");
  OMNIX_ASSIGN_OR_RETURN(ActionJournal journal, ActionJournal::Open(JournalPath(plan, config)));
  if (journal.Last("rollback") != nullptr)
    return FailedPrecondition("a rollback of this plan was begun before: it is used up, make another");
  if (const Json* applied = journal.Last("applied")) {
    // A crash right after the journal was written left this undone.
    OMNIX_RETURN_IF_ERROR(RecordRepair(plan, config));
    return Recorded<v1::Application>(*applied);
  }
  if (const Json* undone = journal.Last("undone")) {
    if (journal.Last("begin", "key", context.idempotency_key()) != nullptr) return Recorded<v1::Application>(*undone);
    return FailedPrecondition("this plan was tried before and failed: make another");
  }
  PlanRun run(plan, request.system, config, context, std::move(journal));
  for (const auto& file : plan.files()) {
    if (Sha256Hex(file.after()) != file.after_sha256())
      return FailedPrecondition("{}: the plan's content is not what its hash says", file.path());
  }
  if (run.journal().Last("begin", "key", context.idempotency_key()) == nullptr) {
    // An attempt that stands begun under another key is finished here, too: the plan is the same.
    if (run.journal().Last("begin") == nullptr) {
      OMNIX_RETURN_IF_ERROR(CheckCoolDown(plan, config));
      OMNIX_RETURN_IF_ERROR(CheckWorld(request, config));
    }
    OMNIX_RETURN_IF_ERROR(run.journal().Append("begin", {{"key", context.idempotency_key()}, {"plan", plan.hash()}}));
    OMNIX_CRASH_POINT("recovery.intent_kept");
  }
  OMNIX_ASSIGN_OR_RETURN(v1::Application application, run.Apply());
  if (application.applied()) OMNIX_RETURN_IF_ERROR(RecordRepair(plan, config));
  OMNIX_CRASH_POINT("recovery.repair_recorded");
  return application;
}

absl::StatusOr<v1::Rollback> RollBackPlan(const v1::Plan& plan, const v1::SystemModel& system,
                                          const v1::RecoveryConfig& config, TaskContext& context) {
  OMNIX_RETURN_IF_ERROR(CheckHash(plan));
  OMNIX_ASSIGN_OR_RETURN(const ResourceLocks locks, Lock(plan, config));
  OMNIX_ASSIGN_OR_RETURN(ActionJournal journal, ActionJournal::Open(JournalPath(plan, config)));
  PlanRun run(plan, system, config, context, std::move(journal));
  if (const Json* done = run.journal().Last("rolled_back")) {
    OMNIX_ASSIGN_OR_RETURN(v1::Rollback ended, Recorded<v1::Rollback>(*done));
    return run.LookAgain(std::move(ended));
  }
  return run.RollBack();
}

}  // namespace omnix
