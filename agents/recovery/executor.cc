#include "agents/recovery/executor.h"

#include <algorithm>
#include <utility>

#include "agents/recovery/action_journal.h"
#include "agents/recovery/backup.h"
#include "agents/recovery/edit/unified_diff.h"
#include "agents/recovery/plan_hash.h"
#include "agents/recovery/planner.h"
#include "agents/recovery/resource_lock.h"
#include "agents/recovery/safe_file.h"
#include "common/clock.h"
#include "common/crash_point.h"
#include "common/file.h"
#include "common/hash.h"
#include "common/json.h"
#include "common/process.h"
#include "common/redact.h"
#include "common/status.h"
#include "common/time.h"

namespace omnix {
namespace {

constexpr absl::Duration kCommandTimeout = absl::Seconds(30);

// Commands of these names may run twice: model authors give them to what ends in the same state.
bool MayRunAgain(const std::string& name) { return name == "reload" || name == "restart" || name == "test_config"; }

std::string RepairFile(const v1::RecoveryConfig& config, const std::string& resource) {
  return config.state_dir() + "/repairs/" + Sha256Hex(resource) + ".json";
}

// One plan on this host: its journal, backup and files.
class Run {
 public:
  Run(const v1::Plan& plan, const v1::SystemModel& system, const v1::RecoveryConfig& config, TaskContext& context,
      ActionJournal journal)
      : plan_(plan),
        system_(system),
        config_(config),
        context_(context),
        journal_(std::move(journal)),
        backup_(config.state_dir() + "/backups/" + plan.hash()),
        files_({config.allowed_paths().begin(), config.allowed_paths().end()}) {}

  absl::StatusOr<v1::Application> Apply();
  absl::StatusOr<v1::Rollback> RollBack();
  ActionJournal& journal() { return journal_; }

 private:
  enum class World { kBefore, kAfter, kOther };

  bool AllAsBefore();
  absl::StatusOr<World> Look(const v1::FileChange& file) const {
    OMNIX_ASSIGN_OR_RETURN(const FileState state, files_.Read(file.path()));
    const std::string hash = Sha256Hex(state.content);
    return hash == file.after_sha256() ? World::kAfter : hash == file.before_sha256() ? World::kBefore : World::kOther;
  }

  void Step(const std::string& step, v1::StepOutcome outcome, const std::string& detail = "") {
    v1::StepResult* result = steps_.Add();
    result->set_step(step);
    result->set_outcome(outcome);
    result->set_detail(Excerpt(detail));
    *result->mutable_at() = ToProto(SystemClock().Now());
    context_.Progress(step);
  }

  absl::Status WriteFiles();
  absl::Status RunCommands(const google::protobuf::RepeatedPtrField<v1::PlannedCommand>& commands,
                           const std::string& stage, bool undoing);
  absl::Status RunOne(const v1::PlannedCommand& command, const std::string& step);
  absl::Status Forward();
  // Files back in reverse order, then the rollback commands. False where something is left for a person.
  absl::StatusOr<bool> Undo(const std::string& stage);
  absl::StatusOr<bool> RestoreFile(int index);
  absl::StatusOr<v1::Application> Finish(v1::Application application, const std::string& event);
  absl::Status MayUndo() const;

  const v1::Plan& plan_;
  const v1::SystemModel& system_;
  const v1::RecoveryConfig& config_;
  TaskContext& context_;
  ActionJournal journal_;
  Backup backup_;
  SafeFiles files_;
  google::protobuf::RepeatedPtrField<v1::StepResult> steps_;
  bool attention_ = false;
};

absl::Status Run::WriteFiles() {
  for (const auto& file : plan_.files()) {
    const std::string step = "write " + file.path();
    OMNIX_ASSIGN_OR_RETURN(const World world, Look(file));
    if (world == World::kAfter) {
      Step(step, v1::STEP_OUTCOME_ALREADY_DONE);
      continue;
    }
    if (world == World::kOther) return FailedPrecondition("{} was changed by somebody else meanwhile", file.path());
    OMNIX_RETURN_IF_ERROR(context_.MayAct());
    OMNIX_RETURN_IF_ERROR(journal_.Append("write", {{"path", file.path()}}));
    OMNIX_CRASH_POINT("recovery.before_write");
    OMNIX_RETURN_IF_ERROR(context_.MayAct());
    OMNIX_RETURN_IF_ERROR(files_.Replace(file.path(), file.after()));
    Step(step, v1::STEP_OUTCOME_DONE, fmt::format("+{} -{} lines", file.lines_added(), file.lines_removed()));
  }
  return absl::OkStatus();
}

absl::Status Run::RunOne(const v1::PlannedCommand& command, const std::string& step) {
  OMNIX_ASSIGN_OR_RETURN(const v1::PlannedCommand allowed,
                         AllowedPlannedCommand(system_, config_, command.service(), command.name()));
  const std::vector<std::string> argv(command.argv().begin(), command.argv().end());
  if (!std::equal(argv.begin(), argv.end(), allowed.argv().begin(), allowed.argv().end())) {
    return PermissionDenied("{}: the plan's command is not the system model's", step);
  }
  const v1::Command& model = FindService(system_, command.service())->commands().at(command.name());
  ProcessOptions options;
  options.cwd = model.cwd();
  options.timeout = OrDefault(model.timeout(), kCommandTimeout);
  OMNIX_ASSIGN_OR_RETURN(const ProcessResult result, RunProcess(argv, options));
  if (result.timed_out) return Internal("{}: not ended after {}, killed", step, omnix::FormatDuration(options.timeout));
  if (result.exit_code != 0)
    return Internal("{}: exit code {}: {}", step, result.exit_code,
                    Excerpt(result.err.empty() ? result.out : result.err));
  Step(step, v1::STEP_OUTCOME_DONE, result.out + result.err);
  return absl::OkStatus();
}

absl::Status Run::RunCommands(const google::protobuf::RepeatedPtrField<v1::PlannedCommand>& commands,
                              const std::string& stage, bool undoing) {
  for (int i = 0; i < commands.size(); ++i) {
    const std::string step = "run " + commands[i].service() + "." + commands[i].name();
    const std::string key = stage + ":" + std::to_string(i);
    if (journal_.Last("command_done", "key", key) != nullptr) {
      Step(step, v1::STEP_OUTCOME_ALREADY_DONE);
      continue;
    }
    if (journal_.Last("command", "key", key) != nullptr && !MayRunAgain(commands[i].name())) {
      attention_ = true;
      Step(step, v1::STEP_OUTCOME_FAILED, "it may have run or not: the agent ended meanwhile");
      return FailedPrecondition("{}: it may have run or not, and running it twice may do harm: look at it", step);
    }
    OMNIX_RETURN_IF_ERROR(undoing ? MayUndo() : context_.MayAct());
    OMNIX_RETURN_IF_ERROR(journal_.Append("command", {{"key", key}}));
    OMNIX_CRASH_POINT("recovery.before_command");
    OMNIX_RETURN_IF_ERROR(RunOne(commands[i], step));
    OMNIX_CRASH_POINT("recovery.after_command");
    OMNIX_RETURN_IF_ERROR(journal_.Append("command_done", {{"key", key}}));
  }
  return absl::OkStatus();
}

absl::Status Run::Forward() {
  if (journal_.Last("saved") == nullptr) {
    OMNIX_CRASH_POINT("recovery.before_backup");
    OMNIX_RETURN_IF_ERROR(backup_.Save(plan_, files_));
    OMNIX_RETURN_IF_ERROR(journal_.Append("saved"));
  }
  OMNIX_RETURN_IF_ERROR(WriteFiles());
  OMNIX_RETURN_IF_ERROR(RunCommands(plan_.commands(), "apply", false));
  OMNIX_CRASH_POINT("recovery.before_verify");
  for (const auto& file : plan_.files()) {
    OMNIX_ASSIGN_OR_RETURN(const World world, Look(file));
    if (world != World::kAfter) return Internal("verify {}: it does not hold what was written", file.path());
  }
  Step("verify", v1::STEP_OUTCOME_DONE);
  return absl::OkStatus();
}

// A cancelled task still takes back what it began; one whose lease is lost leaves that to its successor.
absl::Status Run::MayUndo() const {
  const absl::Status may = context_.MayAct();
  return absl::IsAborted(may) ? may : absl::OkStatus();
}

absl::StatusOr<bool> Run::RestoreFile(int index) {
  const v1::FileChange& file = plan_.files(index);
  const std::string step = "restore " + file.path();
  OMNIX_ASSIGN_OR_RETURN(const FileState saved, backup_.Load(index));
  OMNIX_ASSIGN_OR_RETURN(const FileState now, files_.Read(file.path()));
  const FileAttributes &a = saved.attributes, &b = now.attributes;
  const bool same_time = a.modified.tv_sec == b.modified.tv_sec && a.modified.tv_nsec == b.modified.tv_nsec;
  if (saved.content == now.content && a.mode == b.mode && a.owner == b.owner && a.group == b.group && same_time) {
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
  return true;
}

absl::StatusOr<bool> Run::Undo(const std::string& stage) {
  bool complete = true;
  const bool saved = journal_.Last("saved") != nullptr;
  for (int i = plan_.files_size() - 1; i >= 0 && saved; --i) {
    const auto restored = RestoreFile(i);
    if (absl::IsAborted(restored.status())) return restored.status();
    if (!restored.ok()) Step("restore " + plan_.files(i).path(), v1::STEP_OUTCOME_FAILED, Message(restored.status()));
    complete = complete && restored.ok() && *restored;
  }
  // A service that never saw the change need not be told that it is gone.
  if (journal_.Last("command") == nullptr) return complete;
  const absl::Status commands = RunCommands(plan_.rollback_commands(), stage, true);
  if (absl::IsAborted(commands)) return commands;
  if (!commands.ok()) Step("rollback commands", v1::STEP_OUTCOME_FAILED, Message(commands));
  return complete && commands.ok();
}

absl::StatusOr<v1::Application> Run::Finish(v1::Application application, const std::string& event) {
  application.set_plan_hash(plan_.hash());
  application.set_backup(backup_.folder());
  *application.mutable_steps() = steps_;
  OMNIX_CRASH_POINT("recovery.before_result");
  OMNIX_RETURN_IF_ERROR(journal_.Append(event, {{"result", MessageToJsonValue(application)}}));
  OMNIX_CRASH_POINT("recovery.after_result");
  return application;
}

absl::StatusOr<v1::Application> Run::Apply() {
  std::string reason;
  if (const Json* undoing = journal_.Last("undo")) {
    reason = undoing->value("reason", "");
  } else {
    const absl::Status status = Forward();
    if (status.ok()) {
      v1::Application done;
      done.set_applied(true);
      done.set_summary("applied: " + plan_.summary());
      return Finish(done, "applied");
    }
    if (absl::IsAborted(status) || absl::IsDeadlineExceeded(status)) return status;
    reason = Excerpt(Message(status));
    Step("apply", v1::STEP_OUTCOME_FAILED, reason);
    OMNIX_RETURN_IF_ERROR(journal_.Append("undo", {{"reason", reason}}));
    OMNIX_CRASH_POINT("recovery.before_undo");
  }
  OMNIX_ASSIGN_OR_RETURN(const bool undone, Undo("undo"));
  v1::Application failed;
  // What an unfinished command did is not known, and is not taken back with the files.
  failed.set_needs_attention(!undone || attention_);
  failed.set_summary((failed.needs_attention() ? "not applied, a person must look: " : "not applied, all undone: ") +
                     reason);
  return Finish(failed, "undone");
}

bool Run::AllAsBefore() {
  bool all = true;
  for (const v1::FileChange& file : plan_.files()) {
    const auto world = Look(file);
    if (world.ok() && *world == World::kBefore) continue;
    Step("check " + file.path(), v1::STEP_OUTCOME_FAILED,
         world.ok() ? "its content is not the one from before the plan" : Message(world.status()));
    all = false;
  }
  return all;
}

absl::StatusOr<v1::Rollback> Run::RollBack() {
  OMNIX_CRASH_POINT("recovery.before_rollback");
  OMNIX_RETURN_IF_ERROR(context_.MayAct());
  OMNIX_RETURN_IF_ERROR(journal_.Append("rollback"));
  OMNIX_ASSIGN_OR_RETURN(const bool undone, Undo("rollback"));
  // Looked at, not concluded: nothing may have been applied, or a file may have held other content before the first
  // write.
  const bool complete = AllAsBefore() && undone;
  v1::Rollback rollback;
  rollback.set_plan_hash(plan_.hash());
  rollback.set_complete(complete);
  rollback.set_summary(complete ? "every file is as it was before the plan"
                                : "not everything could be taken back: see the steps");
  *rollback.mutable_steps() = steps_;
  OMNIX_CRASH_POINT("recovery.before_rollback_result");
  if (complete) OMNIX_RETURN_IF_ERROR(journal_.Append("rolled_back", {{"result", MessageToJsonValue(rollback)}}));
  return rollback;
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
  OMNIX_ASSIGN_OR_RETURN(ActionJournal journal, ActionJournal::Open(JournalPath(plan, config)));
  if (journal.Last("rollback") != nullptr)
    return FailedPrecondition("this plan was rolled back before: it proved ineffective, make another");
  if (const Json* applied = journal.Last("applied")) return Recorded<v1::Application>(*applied);
  if (const Json* undone = journal.Last("undone")) {
    if (journal.Last("begin", "key", context.idempotency_key()) != nullptr) return Recorded<v1::Application>(*undone);
    return FailedPrecondition("this plan was tried before and failed: make another");
  }
  Run run(plan, request.system, config, context, std::move(journal));
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
  }
  OMNIX_ASSIGN_OR_RETURN(v1::Application application, run.Apply());
  if (application.applied()) OMNIX_RETURN_IF_ERROR(RecordRepair(plan, config));
  return application;
}

absl::StatusOr<v1::Rollback> RollBackPlan(const v1::Plan& plan, const v1::SystemModel& system,
                                          const v1::RecoveryConfig& config, TaskContext& context) {
  OMNIX_RETURN_IF_ERROR(CheckHash(plan));
  OMNIX_ASSIGN_OR_RETURN(const ResourceLocks locks, Lock(plan, config));
  OMNIX_ASSIGN_OR_RETURN(ActionJournal journal, ActionJournal::Open(JournalPath(plan, config)));
  if (const Json* done = journal.Last("rolled_back")) return Recorded<v1::Rollback>(*done);
  Run run(plan, system, config, context, std::move(journal));
  return run.RollBack();
}

}  // namespace omnix
