// Action kinds: typed changes that are pure over file contents. A new kind is one new file <kind>_action.cc with its
// test and one line in registry.cc.
#pragma once

#include <omnix/v1/action.pb.h>
#include <omnix/v1/system_model.pb.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/json.h"

namespace omnix {

// The files as the plan so far leaves them: later actions see what earlier ones changed.
class Workspace {
 public:
  virtual ~Workspace() = default;
  // Errors: PERMISSION_DENIED (may not be edited), NOT_FOUND and others of reading.
  virtual absl::StatusOr<std::string> Read(const std::string& path) = 0;
  // Only of a path that was read.
  virtual void Write(const std::string& path, std::string content) = 0;
  virtual absl::Status AddCommand(const std::string& service, const std::string& command) = 0;
};

struct ActionInput {
  const v1::SystemModel& system;
  // Every required parameter is there, and no unknown one.
  const Json& with;
};

using ActionFunction = absl::Status (*)(const ActionInput& input, Workspace& workspace);

struct ActionKind {
  std::string_view name;
  // Required ones with a '!' before them.
  std::vector<std::string_view> parameters;
  ActionFunction run;
};

const std::vector<ActionKind>& ActionKinds();

// Carries the action out in the workspace. Errors: INVALID_ARGUMENT (unknown kind or parameter, wrong type; says which
// exist), and the kind's own.
absl::Status RunAction(const v1::Action& action, const v1::SystemModel& system, Workspace& workspace);

// A parameter of that type. Errors: INVALID_ARGUMENT.
absl::StatusOr<std::string> TextParameter(const Json& with, const std::string& name);
absl::StatusOr<int64_t> NumberParameter(const Json& with, const std::string& name);
absl::StatusOr<std::vector<std::string>> TextListParameter(const Json& with, const std::string& name);

absl::Status ReplaceText(const ActionInput& input, Workspace& workspace);
absl::Status InsertLines(const ActionInput& input, Workspace& workspace);
absl::Status SetConfig(const ActionInput& input, Workspace& workspace);
absl::Status AddToList(const ActionInput& input, Workspace& workspace);
absl::Status RevertCommit(const ActionInput& input, Workspace& workspace);
absl::Status RunServiceCommand(const ActionInput& input, Workspace& workspace);

}  // namespace omnix
