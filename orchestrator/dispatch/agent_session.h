// Where the agent link and the engine meet.
#pragma once

#include <omnix/v1/agent_link.pb.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace omnix {

// One connected agent, as the engine sees it. Implemented by the link service (and by its simulated twin).
class AgentSession {
 public:
  virtual ~AgentSession() = default;
  // Queues the items for the stream; never blocks. After Close it does nothing.
  virtual void Send(std::vector<v1::OrchestratorItem> items) = 0;
  // Ends the stream with this status once what is queued has been sent.
  virtual void Close(const absl::Status& status) = 0;
  // One call of AgentItems has been dealt with: back-pressure, since a stream is not read on while too much of it
  // waits.
  virtual void ItemsTaken() {}
};

// What the link service tells the engine. Per session: Connected once, Items any number of times, Disconnected once; in
// that order.
class AgentPort {
 public:
  virtual ~AgentPort() = default;
  virtual void AgentConnected(std::shared_ptr<AgentSession> session, v1::Hello hello) = 0;
  virtual void AgentItems(const std::shared_ptr<AgentSession>& session, std::vector<v1::AgentItem> items) = 0;
  virtual void AgentDisconnected(const std::shared_ptr<AgentSession>& session, const std::string& reason) = 0;
};

}  // namespace omnix
