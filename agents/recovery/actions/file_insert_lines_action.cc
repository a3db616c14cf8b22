#include <string>

#include "agents/recovery/actions/action_kind.h"
#include "agents/recovery/edit/unified_diff.h"
#include "common/status.h"

namespace omnix {
namespace {

std::string_view WithoutEnd(std::string_view line) {
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

// The new lines end as the line before them does.
absl::Status InsertLines(const ActionInput& input, Workspace& workspace) {
  OMNIX_ASSIGN_OR_RETURN(const std::string path, TextParameter(input.with, "path"));
  OMNIX_ASSIGN_OR_RETURN(const int64_t after_line, NumberParameter(input.with, "after_line"));
  OMNIX_ASSIGN_OR_RETURN(const std::string after_text, TextParameter(input.with, "after_text"));
  OMNIX_ASSIGN_OR_RETURN(const std::vector<std::string> added, TextListParameter(input.with, "lines"));
  OMNIX_ASSIGN_OR_RETURN(const std::string content, workspace.Read(path));
  const std::vector<std::string_view> lines = SplitLines(content);
  if (after_line < 1 || static_cast<size_t>(after_line) > lines.size()) {
    return NotFound("{} has {} lines, there is no line {}", path, lines.size(), after_line);
  }
  const std::string_view anchor = lines[static_cast<size_t>(after_line) - 1];
  if (WithoutEnd(anchor) != WithoutEnd(after_text)) {
    return FailedPrecondition("line {} of {} is not '{}' any more", after_line, path, after_text);
  }
  const size_t at = static_cast<size_t>(anchor.data() - content.data()) + anchor.size();
  const std::string_view first = lines.front();
  const bool windows = first.size() > 1 && first.substr(first.size() - 2) == "\r\n";
  const std::string end = windows ? "\r\n" : "\n";
  const bool open_end = anchor.empty() || anchor.back() != '\n';
  std::string text;
  for (const std::string& line : added) {
    if (line.find_first_of("\r\n") != std::string::npos) return InvalidArgument("an item of 'lines' holds a line end");
    text += open_end ? end + line : line + end;
  }
  workspace.Write(path, content.substr(0, at) + text + content.substr(at));
  return absl::OkStatus();
}

}  // namespace omnix
