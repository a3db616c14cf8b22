// What a task is given to work with: a playbook's jq program over the incident. The system model, which is most of it
// as a rule, is the incident's pin: the journal keeps a mark in its place, and with it a third of its bytes less.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/json.h"
#include "orchestrator/engine/run_by.h"

namespace omnix {

struct TaskInput {
  // JSON, as the agent gets it.
  std::string sent = "{}";
  // The same, where a member "system" that is the pinned system model stands as {"$pinned": "system"}.
  std::string kept = "{}";
};

// An empty program makes {}. Errors: those of CachedJqProgram and JqProgram::Run.
absl::StatusOr<TaskInput> MakeTaskInput(const std::string& program, const Json& context, const RunBy& run_by);

}  // namespace omnix
