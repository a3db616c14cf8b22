#include "agents/recovery/actions/action_kind.h"
#include "common/status.h"

namespace omnix {

absl::Status RunServiceCommand(const ActionInput& input, Workspace& workspace) {
  OMNIX_ASSIGN_OR_RETURN(const std::string service, TextParameter(input.with, "service"));
  OMNIX_ASSIGN_OR_RETURN(const std::string command, TextParameter(input.with, "command"));
  return workspace.AddCommand(service, command);
}

}  // namespace omnix
