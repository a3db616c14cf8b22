// A whole small agent, for the test of its main program.
#include "agents/sdk/agent.h"

namespace {

absl::StatusOr<omnix::v1::Product> Echo(omnix::TaskContext& context) {
  omnix::v1::Product product;
  product.set_output_json(omnix::DumpJson(context.input()));
  return product;
}

}  // namespace

int main(int argc, char** argv) {
  omnix::AgentMain agent("echo", "Gives its input back.");
  return agent.Run(argc, argv, [](omnix::Agent& a) {
    a.Offer("echo.echo", Echo);
    return absl::OkStatus();
  });
}
