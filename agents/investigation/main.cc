#include "agents/investigation/commands.h"
#include "agents/investigation/diagnose.h"
#include "agents/sdk/agent.h"

int main(int argc, char** argv) {
  if (omnix::IsInvestigateCommand(argc, argv)) return omnix::RunInvestigateCommand(argc, argv);
  omnix::AgentMain agent("investigation",
                         "Finds out what is wrong with the system under care, with read-only probes.\n"
                         "A command of its own: investigate (see its --help).");
  return agent.Run(argc, argv, [](omnix::Agent& a) {
    a.Offer("investigation.diagnose", omnix::DiagnoseTask,
            R"({"type": "object", "required": ["system"], "properties": {"system": {"type": "object"}}})");
    return absl::OkStatus();
  });
}
