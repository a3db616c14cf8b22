// omnix-testing-agent: does the system work, as its users see it?
#include "agents/sdk/agent.h"
#include "agents/testing/commands.h"
#include "agents/testing/validate.h"

int main(int argc, char** argv) {
  if (omnix::IsCommand(argc, argv)) return omnix::RunCommand(argc, argv);
  omnix::AgentMain agent(
      "testing",
      "Runs suites of checks against the system under care.\n"
      "Commands of its own: check SUITE.yaml --system FILE, monitor --system FILE --alert-url URL (see their --help).");
  return agent.Run(argc, argv, [](omnix::Agent& a) {
    a.Offer("testing.validate", omnix::ValidateSystem);
    return absl::OkStatus();
  });
}
