// The orchestrator's end of the agent link: one gRPC stream per agent, handed to the engine as an AgentSession. Checks
// the order of a session and its limits, batches what is sent, and knows nothing of tasks: Welcome, leases, renewals
// and acknowledgements are the engine's.
#pragma once

#include <omnix/v1/agent_link.grpc.pb.h>

#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/agent_link.h"
#include "orchestrator/engine/ports.h"

namespace omnix {

class LogBudget;

struct AgentLinkOptions {
  // An agent that doesn't read is cut off when more than this waits for it.
  size_t max_queued_items = 50'000;
  size_t max_queued_bytes = 64 << 20;
  // A stream on which no Hello came by then is ended.
  absl::Duration hello_timeout = absl::Seconds(10);
  // How long Close waits for the agent to read what is queued.
  absl::Duration flush_timeout = absl::Seconds(5);
  // An agent that sends more waits: it is read again in the next second.
  size_t max_items_per_second = 100'000;
  size_t max_bytes_per_second = 64 << 20;
  // A stream is not read on while so much of it waits for the engine.
  size_t max_waiting_messages = 16;
  size_t max_waiting_bytes = 1 << 20;
  // Lines about agents that come and go, in ten seconds.
  size_t max_log_lines = 500;
  // Further streams are refused with RESOURCE_EXHAUSTED.
  size_t max_streams = 10'000;
};

// Thread-safe. Outlives the gRPC server that it is registered with; `port` outlives it.
//
// Ends of a stream, as the agent sees them: INVALID_ARGUMENT (wrong order, unreadable message, refused Hello),
// FAILED_PRECONDITION (link version), DEADLINE_EXCEEDED (no Hello), RESOURCE_EXHAUSTED (message too large, does not
// read, too many streams), UNAVAILABLE (shutdown), OK (the agent ended it), or what AgentSession::Close was given.
class AgentLinkService final : public v1::AgentLink::WithRawCallbackMethod_Connect<v1::AgentLink::Service> {
 public:
  explicit AgentLinkService(AgentPort* port, const AgentLinkOptions& options = {});
  ~AgentLinkService() override;

  // Ends every stream with `status` once what is queued has been sent, and refuses new ones with it. Does not wait.
  void Shutdown(const absl::Status& status);

  // Raw: messages are parsed here, so that an unreadable one ends the stream with a reason.
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Connect(grpc::CallbackServerContext* context) override;

 private:
  class Streams;
  std::shared_ptr<Streams> streams_;
  const std::shared_ptr<LogBudget> log_;
  AgentPort* const port_;
  const AgentLinkOptions options_;
};

}  // namespace omnix
