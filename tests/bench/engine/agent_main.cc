// An agent of the benchmark, over the real SDK: does every task at once with an output of 500 bytes.
//
//   omnix-bench-agent ADDRESS KIND BOARD EVIDENCE_PER_STEP
#include <omnix/v1/task.pb.h>

#include <charconv>
#include <csignal>
#include <cstdlib>

#include "agents/sdk/agent.h"
#include "common/logging.h"
#include "common/status.h"
#include "tests/bench/support/board.h"
#include "tests/bench/support/child.h"
#include "tests/bench/support/payload.h"

namespace omnix::bench {
namespace {

constexpr uint32_t kCapacity = 2'000;

uint64_t NumberOf(const std::string& incident_id) {
  uint64_t number = 0;
  const size_t digits = incident_id.rfind('-') + 1;
  std::from_chars(incident_id.data() + digits, incident_id.data() + incident_id.size(), number);
  return number;
}

absl::StatusOr<v1::Product> DoStep(TaskContext& context, Board& board, int evidence) {
  const std::string& task = context.lease().task_id();
  board.StepBegan(NumberOf(context.lease().incident_id()), task.ends_with("/first"));
  for (int i = 0; i < evidence; ++i) context.Report(SomeEvidence(i));
  if (task.ends_with("/last")) board.IncidentFinished();
  v1::Product product;
  product.set_output_json(SomeOutput());
  return product;
}

int Main(char** argv) {
  SetUpLogging("bench-agent", "warning").IgnoreError();
  AgentOptions options;
  options.orchestrator = argv[1];
  options.kind = argv[2];
  options.name = options.kind + "-agent";
  options.version = OMNIX_VERSION;
  options.capacity = kCapacity;
  Board* board = OpenBoard(argv[3]);
  const int evidence = std::atoi(argv[4]);
  Agent agent(options);
  agent.Offer(options.kind + ".step",
              [board, evidence](TaskContext& context) { return DoStep(context, *board, evidence); });
  const absl::Status status = agent.Run();
  if (!status.ok()) Die(Message(status));
  return 0;
}

}  // namespace
}  // namespace omnix::bench

int main(int argc, char** argv) {
  if (argc != 5) omnix::bench::Die("usage: omnix-bench-agent ADDRESS KIND BOARD EVIDENCE_PER_STEP");
  return omnix::bench::Main(argv);
}
