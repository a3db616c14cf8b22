#include "agents/recovery/actions/action_kind.h"
#include "agents/recovery/edit/config_edit.h"
#include "common/status.h"

namespace omnix {

absl::Status SetConfig(const ActionInput& input, Workspace& workspace) {
  OMNIX_ASSIGN_OR_RETURN(const std::string path, TextParameter(input.with, "path"));
  OMNIX_ASSIGN_OR_RETURN(const std::string pointer, TextParameter(input.with, "pointer"));
  OMNIX_ASSIGN_OR_RETURN(
      const ConfigFormat format,
      FindConfigFormat(input.with.value("format", Json("")).is_string() ? input.with.value("format", "") : "", path));
  OMNIX_ASSIGN_OR_RETURN(const std::string content, workspace.Read(path));
  auto edited = SetConfigValue(format, content, pointer, input.with.at("value"));
  if (!edited.ok()) return Annotate(edited.status(), path + ": ");
  workspace.Write(path, *std::move(edited));
  return absl::OkStatus();
}

}  // namespace omnix
