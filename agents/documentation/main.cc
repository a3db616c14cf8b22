#include "agents/documentation/documentation.h"

int main(int argc, char** argv) {
  omnix::AgentMain agent("documentation", "Keeps a live report of every incident and writes the final one.");
  std::string state_dir = "./omnix-reports";
  agent.flags().add_option("--state-dir", state_dir, "Folder of the reports")->capture_default_str();
  return agent.Run(argc, argv, [&](omnix::Agent& a) { return omnix::SetUpDocumentation(a, state_dir); });
}
