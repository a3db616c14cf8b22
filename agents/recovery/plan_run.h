// One plan on this host while it is carried out or taken back: its journal, its backup, its files, the steps so far.
#pragma once

#include <omnix/v1/action.pb.h>
#include <omnix/v1/recovery_config.pb.h>
#include <omnix/v1/system_model.pb.h>

#include <string>

#include "absl/status/statusor.h"
#include "agents/recovery/action_journal.h"
#include "agents/recovery/backup.h"
#include "agents/recovery/safe_file.h"
#include "agents/sdk/agent.h"

namespace omnix {

// Not thread-safe. The caller holds the plan's locks; everything given by reference outlives the run.
class PlanRun {
 public:
  PlanRun(const v1::Plan& plan, const v1::SystemModel& system, const v1::RecoveryConfig& config, TaskContext& context,
          ActionJournal journal);

  // Goes on from where the journal says that the plan stands. Errors: ABORTED, DEADLINE_EXCEEDED (the lease is lost:
  // the next attempt goes on), those of the journal.
  absl::StatusOr<v1::Application> Apply();
  // Files back in reverse order, then the rollback commands, then a look at every file.
  absl::StatusOr<v1::Rollback> RollBack();
  // A rollback that ended before: what the files say now. Changes nothing.
  v1::Rollback LookAgain(v1::Rollback ended);

  ActionJournal& journal() { return journal_; }

 private:
  enum class World { kBefore, kAfter, kOther };
  enum class Direction { kForward, kBack };

  absl::StatusOr<World> Look(const v1::FileChange& file) const;
  void Step(const std::string& step, v1::StepOutcome outcome, const std::string& detail = "");
  // What was done to the world, as evidence: `excerpt` is redacted here.
  void ReportFile(const v1::FileChange& file, const std::string& what, const std::string& excerpt);
  void ReportCommand(const v1::PlannedCommand& command, const std::string& what, const std::string& excerpt);
  void Report(v1::Evidence evidence, const std::string& excerpt);

  absl::Status Forward();
  absl::Status WriteFiles();
  absl::Status WriteFile(int index);
  // The command was begun in an earlier attempt, and not withdrawn before it ran.
  bool MayHaveRun(const std::string& key) const;
  absl::Status RunCommands(const google::protobuf::RepeatedPtrField<v1::PlannedCommand>& commands, Direction direction);
  absl::Status RunOne(const v1::PlannedCommand& command, const std::string& step);
  absl::StatusOr<v1::Application> Finish(v1::Application application, const std::string& event);

  // False where something that the plan did is left for a person.
  absl::StatusOr<bool> Undo();
  absl::StatusOr<bool> RestoreFile(int index);
  // False, with a step that says why, for every file that does not hold the content before the plan.
  bool CheckFilesAreAsBefore();
  std::string WhyNotAsBefore(World world) const;
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
  int evidence_count_ = 0;
};

}  // namespace omnix
