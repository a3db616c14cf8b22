// omnix-infrastructure-agent: is what the system runs on in order?
#include "agents/infrastructure/assess.h"
#include "agents/sdk/agent.h"

int main(int argc, char** argv) {
  omnix::AgentMain agent("infrastructure", "Checks processes, ports, databases, disks, memory and certificates.");
  return agent.Run(argc, argv, [](omnix::Agent& a) {
    a.Offer("infrastructure.assess", omnix::AssessInfrastructure);
    return absl::OkStatus();
  });
}
