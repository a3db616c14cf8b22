// An agent over the real SDK that notes on the board when the first task of an incident comes.
//
//   omnix-bench-alerts-agent ADDRESS BOARD
#include <charconv>

#include "agents/sdk/agent.h"
#include "common/logging.h"
#include "common/status.h"
#include "tests/bench/support/board.h"
#include "tests/bench/support/child.h"

namespace omnix::bench {
namespace {

uint64_t NumberOf(const std::string& incident_id) {
  uint64_t number = 0;
  const size_t digits = incident_id.rfind('-') + 1;
  std::from_chars(incident_id.data() + digits, incident_id.data() + incident_id.size(), number);
  return number;
}

int Main(char** argv) {
  SetUpLogging("bench-agent", "warning").IgnoreError();
  AgentOptions options;
  options.orchestrator = argv[1];
  options.kind = "bench";
  options.name = "bench-agent";
  options.version = OMNIX_VERSION;
  Board* board = OpenBoard(argv[2]);
  Agent agent(options);
  agent.Offer("bench.look", [board](TaskContext& context) -> absl::StatusOr<v1::Product> {
    board->StepBegan(NumberOf(context.lease().incident_id()), /*first=*/false);
    board->IncidentFinished();
    v1::Product product;
    product.mutable_diagnosis()->set_summary("nothing was looked at");
    return product;
  });
  agent.Offer("bench.validate", [](TaskContext&) -> absl::StatusOr<v1::Product> {
    v1::Product product;
    product.mutable_verdict()->set_passed(true);
    return product;
  });
  const absl::Status status = agent.Run();
  if (!status.ok()) Die(Message(status));
  return 0;
}

}  // namespace
}  // namespace omnix::bench

int main(int argc, char** argv) {
  if (argc != 3) omnix::bench::Die("usage: omnix-bench-alerts-agent ADDRESS BOARD");
  return omnix::bench::Main(argv);
}
