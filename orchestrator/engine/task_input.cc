#include "orchestrator/engine/task_input.h"

#include "common/status.h"
#include "orchestrator/playbook/jq.h"

namespace omnix {
namespace {

constexpr char kSystem[] = "system";

const Json& Mark() {
  static const Json kMark = {{"$pinned", kSystem}};
  return kMark;
}

// A JSON object with this text for its member "system".
std::string WithSystem(const Json& object, const std::string& system) {
  std::string text = "{";
  for (const auto& [name, value] : object.items()) {
    if (text.size() > 1) text += ',';
    text.append(DumpJson(Json(name))).append(":").append(name == kSystem ? system : DumpJson(value));
  }
  return text += '}';
}

}  // namespace

absl::StatusOr<TaskInput> MakeTaskInput(const std::string& program, const Json& context, const RunBy& run_by) {
  if (program.empty()) return TaskInput();
  OMNIX_ASSIGN_OR_RETURN(JqProgram* const compiled, CachedJqProgram(program));
  OMNIX_ASSIGN_OR_RETURN(const Json made, compiled->Run(context));
  const auto system = made.is_object() ? made.find(kSystem) : made.end();
  if (!made.is_object() || system == made.end()) {
    const std::string text = DumpJson(made);
    return TaskInput{text, text};
  }
  // What a program made of it is no longer the pinned one.
  const std::string text = DumpJson(*system);
  const bool pinned = text == run_by.system_text;
  return TaskInput{WithSystem(made, text), WithSystem(made, pinned ? DumpJson(Mark()) : text)};
}

}  // namespace omnix
