// One stream of the agent link between an agent's process and omnixd: in order and reliable as gRPC's are, until it is
// cut, half-open, or the run's link faults lose, repeat, delay or reorder messages on it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "orchestrator/dispatch/agent_session.h"
#include "tests/simulation/bench.h"
#include "tests/simulation/daemon.h"

namespace omnix::simulation {

class Stream;

// The agent's end. Called by the scheduler, never from within a call to the stream.
class StreamOwner {
 public:
  virtual ~StreamOwner() = default;
  virtual void StreamGave(const std::shared_ptr<Stream>& stream, v1::OrchestratorMessage message) = 0;
  virtual void StreamEnded(const std::shared_ptr<Stream>& stream, const absl::Status& status) = 0;
};

class Stream final : public AgentSession, public std::enable_shared_from_this<Stream> {
 public:
  Stream(Bench& bench, Daemon& daemon, std::weak_ptr<StreamOwner> owner, std::string agent);

  // Of the engine.
  void Send(std::vector<v1::OrchestratorItem> items) override;
  void Close(const absl::Status& status) override;

  // Of the agent: what LinkState gives.
  void Write(v1::AgentMessage message);
  // The agent gives the stream up; omnixd sees it unless its side is deaf.
  void Cancel();

  // Both ends see it end; what is under way is lost.
  void Cut();
  void MakeAgentDeaf() { agent_deaf_ = true; }
  void MakeOrchestratorDeaf() { orchestrator_deaf_ = true; }
  // omnixd's process is gone.
  void OrchestratorDied();

  bool open() const { return agent_open_ || orchestrator_open_; }
  const std::string& agent() const { return agent_; }

 private:
  // When a message that leaves now arrives, or several times of a repeated one; none where it is lost.
  std::vector<absl::Duration> Arrivals(absl::Duration& last, bool may_suffer);
  void ArriveAtOrchestrator(v1::AgentMessage message);
  void EndAtAgent(absl::Duration delay, const absl::Status& status);
  void EndAtOrchestrator(absl::Duration delay, const std::string& reason);

  Bench& bench_;
  Daemon& daemon_;
  Random random_;
  const std::weak_ptr<StreamOwner> owner_;
  const std::string agent_;
  const uint64_t generation_;
  bool agent_open_ = true;
  bool orchestrator_open_ = true;
  bool greeted_ = false;
  bool agent_deaf_ = false;
  bool orchestrator_deaf_ = false;
  absl::Duration last_to_agent_;
  absl::Duration last_to_orchestrator_;
};

}  // namespace omnix::simulation
