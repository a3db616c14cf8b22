#include "agents/recovery/plan_run.h"

#include <omnix/v1/diagnosis.pb.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "agents/recovery/edit/unified_diff.h"
#include "agents/recovery/planner.h"
#include "common/clock.h"
#include "common/crash_point.h"
#include "common/hash.h"
#include "common/json.h"
#include "common/process.h"
#include "common/redact.h"
#include "common/status.h"
#include "common/time.h"

namespace omnix {
namespace {

constexpr absl::Duration kCommandTimeout = absl::Seconds(30);

}  // namespace

PlanRun::PlanRun(const v1::Plan& plan, const v1::SystemModel& system, const v1::RecoveryConfig& config,
                 TaskContext& context, ActionJournal journal)
    : plan_(plan),
      system_(system),
      config_(config),
      context_(context),
      journal_(std::move(journal)),
      backup_(config.state_dir() + "/backups/" + plan.hash()),
      files_({config.allowed_paths().begin(), config.allowed_paths().end()}) {}

absl::StatusOr<PlanRun::World> PlanRun::Look(const v1::FileChange& file) const {
  OMNIX_ASSIGN_OR_RETURN(const FileState state, files_.Read(file.path()));
  const std::string hash = Sha256Hex(state.content);
  return hash == file.after_sha256() ? World::kAfter : hash == file.before_sha256() ? World::kBefore : World::kOther;
}

void PlanRun::Step(const std::string& step, v1::StepOutcome outcome, const std::string& detail) {
  v1::StepResult* result = steps_.Add();
  result->set_step(step);
  result->set_outcome(outcome);
  result->set_detail(Excerpt(detail));
  *result->mutable_at() = ToProto(SystemClock().Now());
  context_.Progress(step);
}

void PlanRun::Report(v1::Evidence evidence, const std::string& excerpt) {
  evidence.set_id("e" + std::to_string(++evidence_count_));
  evidence.set_source("recovery");
  evidence.set_excerpt(Excerpt(excerpt));
  (*evidence.mutable_attributes())["plan_hash"] = plan_.hash();
  *evidence.mutable_observed_at() = ToProto(SystemClock().Now());
  context_.Report(std::move(evidence));
}

void PlanRun::ReportFile(const v1::FileChange& file, const std::string& what, const std::string& excerpt) {
  v1::Evidence evidence;
  for (const auto& action : plan_.actions()) {
    const auto& ids = file.action_ids();
    if (std::find(ids.begin(), ids.end(), action.id()) != ids.end()) evidence.set_component(action.component());
  }
  evidence.set_summary(what + " " + file.path());
  (*evidence.mutable_attributes())["path"] = file.path();
  Report(std::move(evidence), excerpt);
}

void PlanRun::ReportCommand(const v1::PlannedCommand& command, const std::string& what, const std::string& excerpt) {
  v1::Evidence evidence;
  evidence.set_component(command.service());
  evidence.set_summary(command.service() + "." + command.name() + " " + what);
  (*evidence.mutable_attributes())["command"] = command.name();
  Report(std::move(evidence), excerpt);
}

absl::Status PlanRun::WriteFile(int index) {
  const v1::FileChange& file = plan_.files(index);
  const std::string step = "write " + file.path();
  OMNIX_ASSIGN_OR_RETURN(const World world, Look(file));
  OMNIX_ASSIGN_OR_RETURN(const FileState saved, backup_.Load(index));
  const std::string saved_hash = Sha256Hex(saved.content);
  if (world == World::kAfter) {
    const bool found_so = saved_hash == file.after_sha256();
    Step(step, v1::STEP_OUTCOME_ALREADY_DONE, found_so ? "it held this content before the plan wrote anything" : "");
    return absl::OkStatus();
  }
  // What is overwritten must be what the backup gives back.
  if (world == World::kOther || saved_hash != file.before_sha256())
    return FailedPrecondition("{} was changed by somebody else meanwhile", file.path());
  OMNIX_RETURN_IF_ERROR(context_.MayAct());
  OMNIX_RETURN_IF_ERROR(journal_.Append("write", {{"path", file.path()}}));
  OMNIX_CRASH_POINT("recovery.before_write");
  OMNIX_RETURN_IF_ERROR(context_.MayAct());
  OMNIX_RETURN_IF_ERROR(files_.Replace(file.path(), file.after()));
  Step(step, v1::STEP_OUTCOME_DONE, fmt::format("+{} -{} lines", file.lines_added(), file.lines_removed()));
  ReportFile(file, fmt::format("wrote (+{} -{} lines)", file.lines_added(), file.lines_removed()), file.diff());
  return absl::OkStatus();
}

absl::Status PlanRun::WriteFiles() {
  for (int i = 0; i < plan_.files_size(); ++i) OMNIX_RETURN_IF_ERROR(WriteFile(i));
  return absl::OkStatus();
}

absl::Status PlanRun::RunOne(const v1::PlannedCommand& command, const std::string& step) {
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
  const std::string output = result.out + result.err;
  if (result.timed_out) {
    const std::string limit = omnix::FormatDuration(options.timeout);
    ReportCommand(command, "did not end after " + limit + " and was killed", output);
    return Internal("{}: not ended after {}, killed", step, limit);
  }
  ReportCommand(command, "ended with exit code " + std::to_string(result.exit_code), output);
  if (result.exit_code != 0)
    return Internal("{}: exit code {}: {}", step, result.exit_code,
                    Excerpt(result.err.empty() ? result.out : result.err));
  Step(step, v1::STEP_OUTCOME_DONE, output);
  return absl::OkStatus();
}

bool PlanRun::MayHaveRun(const std::string& key) const {
  const Json* begun = journal_.Last("command", "key", key);
  const Json* withdrawn = journal_.Last("command_withdrawn", "key", key);
  return begun != nullptr && (withdrawn == nullptr || withdrawn < begun);
}

absl::Status PlanRun::RunCommands(const google::protobuf::RepeatedPtrField<v1::PlannedCommand>& commands,
                                  Direction direction) {
  const bool back = direction == Direction::kBack;
  for (int i = 0; i < commands.size(); ++i) {
    const std::string step = "run " + commands[i].service() + "." + commands[i].name();
    const std::string key = (back ? "undo:" : "apply:") + std::to_string(i);
    if (journal_.Last("command_done", "key", key) != nullptr) {
      Step(step, v1::STEP_OUTCOME_ALREADY_DONE);
      continue;
    }
    if (MayHaveRun(key) && !MayRunAgain(commands[i].name())) {
      attention_ = true;
      Step(step, v1::STEP_OUTCOME_FAILED, "it may have run or not: the agent ended meanwhile");
      return FailedPrecondition("{}: it may have run or not, and running it twice may do harm: look at it", step);
    }
    OMNIX_RETURN_IF_ERROR(back ? MayUndo() : context_.MayAct());
    OMNIX_RETURN_IF_ERROR(journal_.Append("command", {{"key", key}}));
    OMNIX_CRASH_POINT("recovery.before_command");
    // The process may have stood still since it asked first, and another agent may have taken over meanwhile.
    if (const absl::Status may = back ? MayUndo() : context_.MayAct(); !may.ok()) {
      OMNIX_RETURN_IF_ERROR(journal_.Append("command_withdrawn", {{"key", key}}));
      return may;
    }
    OMNIX_RETURN_IF_ERROR(RunOne(commands[i], step));
    OMNIX_CRASH_POINT("recovery.after_command");
    OMNIX_RETURN_IF_ERROR(journal_.Append("command_done", {{"key", key}}));
    OMNIX_CRASH_POINT("recovery.command_kept");
  }
  return absl::OkStatus();
}

absl::Status PlanRun::Forward() {
  if (journal_.Last("saved") == nullptr) {
    OMNIX_CRASH_POINT("recovery.before_backup");
    OMNIX_RETURN_IF_ERROR(backup_.Save(plan_, files_));
    OMNIX_RETURN_IF_ERROR(journal_.Append("saved"));
    OMNIX_CRASH_POINT("recovery.backed_up");
  }
  OMNIX_RETURN_IF_ERROR(WriteFiles());
  OMNIX_RETURN_IF_ERROR(RunCommands(plan_.commands(), Direction::kForward));
  OMNIX_CRASH_POINT("recovery.before_verify");
  for (const auto& file : plan_.files()) {
    OMNIX_ASSIGN_OR_RETURN(const World world, Look(file));
    if (world != World::kAfter) return Internal("verify {}: it does not hold what was written", file.path());
  }
  OMNIX_CRASH_POINT("recovery.verified");
  Step("verify", v1::STEP_OUTCOME_DONE);
  return absl::OkStatus();
}

absl::StatusOr<v1::Application> PlanRun::Finish(v1::Application application, const std::string& event) {
  application.set_plan_hash(plan_.hash());
  application.set_backup(backup_.folder());
  *application.mutable_steps() = steps_;
  OMNIX_CRASH_POINT("recovery.before_result");
  OMNIX_RETURN_IF_ERROR(journal_.Append(event, {{"result", MessageToJsonValue(application)}}));
  OMNIX_CRASH_POINT("recovery.after_result");
  return application;
}

absl::StatusOr<v1::Application> PlanRun::Apply() {
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
  OMNIX_ASSIGN_OR_RETURN(const bool undone, Undo());
  v1::Application failed;
  // What an unfinished command did is not known, and is not taken back with the files.
  failed.set_needs_attention(!undone || attention_);
  failed.set_summary((failed.needs_attention() ? "not applied, a person must look: " : "not applied, all undone: ") +
                     reason);
  return Finish(failed, "undone");
}

}  // namespace omnix
