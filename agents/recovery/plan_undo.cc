// The way back of a plan: after a failed apply, and as a rollback.
#include "agents/recovery/edit/unified_diff.h"
#include "agents/recovery/plan_run.h"
#include "common/crash_point.h"
#include "common/hash.h"
#include "common/json.h"
#include "common/status.h"

namespace omnix {
namespace {

bool SameAttributes(const FileAttributes& a, const FileAttributes& b) {
  return a.mode == b.mode && a.owner == b.owner && a.group == b.group && a.modified.tv_sec == b.modified.tv_sec &&
         a.modified.tv_nsec == b.modified.tv_nsec;
}

}  // namespace

// A cancelled task still takes back what it began; one whose lease is lost leaves that to its successor.
absl::Status PlanRun::MayUndo() const {
  const absl::Status may = context_.MayAct();
  return absl::IsAborted(may) ? may : absl::OkStatus();
}

absl::StatusOr<bool> PlanRun::RestoreFile(int index) {
  const v1::FileChange& file = plan_.files(index);
  const std::string step = "restore " + file.path();
  OMNIX_ASSIGN_OR_RETURN(const FileState saved, backup_.Load(index));
  OMNIX_ASSIGN_OR_RETURN(const FileState now, files_.Read(file.path()));
  if (Sha256Hex(saved.content) == file.after_sha256()) {
    Step(step, v1::STEP_OUTCOME_NOT_RUN, "the plan did not write it: it held the plan's content before");
    return true;
  }
  if (saved.content == now.content && SameAttributes(saved.attributes, now.attributes)) {
    Step(step, v1::STEP_OUTCOME_ALREADY_DONE);
    return true;
  }
  if (saved.content != now.content && Sha256Hex(now.content) != file.after_sha256()) {
    Step(step, v1::STEP_OUTCOME_FAILED,
         file.path() + " was changed by somebody else since: left as it is; as it was before: " + backup_.folder() +
             "/" + std::to_string(index) + ".content");
    return false;
  }
  OMNIX_RETURN_IF_ERROR(MayUndo());
  OMNIX_CRASH_POINT("recovery.before_restore");
  OMNIX_RETURN_IF_ERROR(files_.Restore(file.path(), saved));
  OMNIX_CRASH_POINT("recovery.after_restore");
  Step(step, v1::STEP_OUTCOME_UNDONE);
  ReportFile(file, "restored", MakeUnifiedDiff(file.path(), now.content, saved.content).text);
  return true;
}

absl::StatusOr<bool> PlanRun::Undo() {
  bool complete = true;
  // Nothing is written before everything is saved.
  const bool saved = journal_.Last("saved") != nullptr;
  for (int i = plan_.files_size() - 1; i >= 0 && saved; --i) {
    const auto restored = RestoreFile(i);
    if (absl::IsAborted(restored.status())) return restored.status();
    if (!restored.ok()) Step("restore " + plan_.files(i).path(), v1::STEP_OUTCOME_FAILED, Message(restored.status()));
    complete = complete && restored.ok() && *restored;
  }
  // A service that never saw the change need not be told that it is gone.
  if (journal_.Last("command") == nullptr) return complete;
  const absl::Status commands = RunCommands(plan_.rollback_commands(), Direction::kBack);
  if (absl::IsAborted(commands)) return commands;
  if (!commands.ok()) Step("rollback commands", v1::STEP_OUTCOME_FAILED, Message(commands));
  return complete && commands.ok();
}

std::string PlanRun::WhyNotAsBefore(World world) const {
  if (world == World::kOther) return "it holds neither the content before the plan nor the plan's: somebody changed it";
  if (journal_.Last("saved") != nullptr)
    return "it held the plan's content before the plan wrote anything and was left so: what was before is not known";
  return "it holds the plan's content, but the plan was not applied here: there is no backup in " + backup_.folder();
}

bool PlanRun::CheckFilesAreAsBefore() {
  bool all = true;
  for (const auto& file : plan_.files()) {
    const auto world = Look(file);
    if (world.ok() && *world == World::kBefore) continue;
    all = false;
    Step("verify " + file.path(), v1::STEP_OUTCOME_FAILED,
         world.ok() ? WhyNotAsBefore(*world) : Message(world.status()));
  }
  if (all) Step("verify", v1::STEP_OUTCOME_DONE, "every file holds the content before the plan");
  return all;
}

absl::StatusOr<v1::Rollback> PlanRun::RollBack() {
  OMNIX_CRASH_POINT("recovery.before_rollback");
  OMNIX_RETURN_IF_ERROR(context_.MayAct());
  OMNIX_RETURN_IF_ERROR(journal_.Append("rollback"));
  OMNIX_CRASH_POINT("recovery.rollback_begun");
  OMNIX_ASSIGN_OR_RETURN(const bool undone, Undo());
  OMNIX_CRASH_POINT("recovery.undone");
  const bool as_before = CheckFilesAreAsBefore();
  const bool applied = journal_.Last("begin") != nullptr;
  v1::Rollback rollback;
  rollback.set_plan_hash(plan_.hash());
  rollback.set_complete(undone && as_before);
  rollback.set_summary(!rollback.complete() ? "not every file is as it was before the plan: see the steps"
                       : applied            ? "every file is as it was before the plan"
                                 : "the plan was never applied here: every file is as it was when the plan was made");
  *rollback.mutable_steps() = steps_;
  OMNIX_CRASH_POINT("recovery.before_rollback_result");
  if (rollback.complete())
    OMNIX_RETURN_IF_ERROR(journal_.Append("rolled_back", {{"result", MessageToJsonValue(rollback)}}));
  OMNIX_CRASH_POINT("recovery.rollback_kept");
  return rollback;
}

v1::Rollback PlanRun::LookAgain(v1::Rollback ended) {
  if (CheckFilesAreAsBefore()) return ended;
  ended.set_complete(false);
  ended.set_summary("this plan was taken back before, but files were changed since and are left as they are");
  ended.mutable_steps()->MergeFrom(steps_);
  return ended;
}

}  // namespace omnix
