#include <cstdlib>

#include "agents/recovery/actions/action_kind.h"
#include "agents/recovery/edit/config_tree.h"
#include "common/status.h"

namespace omnix {

// Of several occurrences the one that begins on the given line; where the text moved, the only one there is.
absl::Status ReplaceText(const ActionInput& input, Workspace& workspace) {
  OMNIX_ASSIGN_OR_RETURN(const std::string path, TextParameter(input.with, "path"));
  OMNIX_ASSIGN_OR_RETURN(const std::string old_text, TextParameter(input.with, "old"));
  OMNIX_ASSIGN_OR_RETURN(const std::string new_text, TextParameter(input.with, "new"));
  size_t line = 0;
  if (input.with.contains("line")) {
    OMNIX_ASSIGN_OR_RETURN(const int64_t number, NumberParameter(input.with, "line"));
    if (number < 0) return InvalidArgument("line {} is none", number);
    line = static_cast<size_t>(number);
  }
  if (old_text.empty()) return InvalidArgument("'old' is empty");
  OMNIX_ASSIGN_OR_RETURN(std::string content, workspace.Read(path));
  size_t total = 0, on_line = 0, any = 0, there = 0, current_line = 1, counted = 0;
  for (size_t at = content.find(old_text); at != std::string::npos; at = content.find(old_text, at + 1)) {
    for (; counted < at; ++counted) current_line += content[counted] == '\n';
    any = at;
    ++total;
    if (current_line != line) continue;
    there = at;
    ++on_line;
  }
  if (total == 0) return NotFound("{} does not hold the text '{}'", path, old_text);
  if (on_line > 1) return FailedPrecondition("line {} of {} holds '{}' {} times", line, path, old_text, on_line);
  if (on_line == 0 && total > 1) {
    return FailedPrecondition("{} holds '{}' {} times, and not on line {}: which one is not clear", path, old_text,
                              total, line);
  }
  content.replace(on_line == 1 ? there : any, old_text.size(), new_text);
  workspace.Write(path, std::move(content));
  return absl::OkStatus();
}

}  // namespace omnix
