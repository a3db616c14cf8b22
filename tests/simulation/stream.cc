#include "tests/simulation/stream.h"

#include <algorithm>

#include "common/status.h"

namespace omnix::simulation {
namespace {

constexpr double kMessageSuffers = 0.02;
constexpr absl::Duration kLossIsSeen = absl::Seconds(15);
// A half-open connection is found out by keepalive after this.
constexpr absl::Duration kKeepalive = absl::Seconds(30);

}  // namespace

Stream::Stream(Bench& bench, Daemon& daemon, std::weak_ptr<StreamOwner> owner, std::string agent)
    : bench_(bench),
      daemon_(daemon),
      random_(bench.random.Fork()),
      owner_(std::move(owner)),
      agent_(std::move(agent)),
      generation_(daemon.generation()) {}

std::vector<absl::Duration> Stream::Arrivals(absl::Duration& last, bool may_suffer) {
  absl::Duration way = random_.Between(bench_.scenario.shortest_way, bench_.scenario.longest_way);
  if (may_suffer) {
    if (bench_.Strikes(Fault::kMessageLost, random_, kMessageSuffers)) {
      // A stream that lost something is not whole and ends, sooner or later; what came after it may still arrive.
      bench_.scheduler.After(random_.Between(absl::ZeroDuration(), kLossIsSeen),
                             [self = shared_from_this()] { self->Cut(); });
      return {};
    }
    if (bench_.Strikes(Fault::kMessageDelayed, random_, kMessageSuffers)) {
      way += random_.Between(absl::Milliseconds(100), absl::Seconds(8));
    }
    if (bench_.Strikes(Fault::kMessageReordered, random_, kMessageSuffers)) {
      // Later ones overtake it.
      return {bench_.now() + way + random_.Between(absl::Milliseconds(1), absl::Seconds(2))};
    }
  }
  last = std::max(last, bench_.now() + way);
  if (may_suffer && bench_.Strikes(Fault::kMessageRepeated, random_, kMessageSuffers)) {
    return {last, last + random_.Between(absl::Milliseconds(1), absl::Seconds(12))};
  }
  return {last};
}

void Stream::Send(std::vector<v1::OrchestratorItem> items) {
  if (!daemon_.letting_out()) bench_.promises.Break("nothing leaves before its commit", "a message to " + agent_);
  v1::OrchestratorMessage message;
  bool welcomes = false;
  for (auto& item : items) {
    welcomes |= item.has_welcome();
    if (item.has_result_ack()) bench_.promises.ResultAcknowledged(agent_, item.result_ack().lease());
    *message.add_items() = std::move(item);
  }
  if (!orchestrator_open_) return;
  for (const absl::Duration arrival : Arrivals(last_to_agent_, !welcomes)) {
    bench_.scheduler.At(arrival, [self = shared_from_this(), message] {
      const auto owner = self->owner_.lock();
      if (owner != nullptr && self->agent_open_ && !self->agent_deaf_) owner->StreamGave(self, message);
    });
  }
}

void Stream::Close(const absl::Status& status) {
  if (!orchestrator_open_) return;
  EndAtOrchestrator(absl::Milliseconds(1), "closed: " + Message(status));
  EndAtAgent(std::max(last_to_agent_ - bench_.now(), absl::ZeroDuration()) + bench_.scenario.shortest_way, status);
}

void Stream::Write(v1::AgentMessage message) {
  const bool greets = message.items_size() > 0 && message.items(0).has_hello();
  for (const absl::Duration arrival : Arrivals(last_to_orchestrator_, !greets)) {
    bench_.scheduler.At(arrival, [self = shared_from_this(), message] { self->ArriveAtOrchestrator(message); });
  }
}

void Stream::ArriveAtOrchestrator(v1::AgentMessage message) {
  if (!orchestrator_open_ || orchestrator_deaf_ || daemon_.generation() != generation_) return;
  std::vector<v1::AgentItem> items;
  for (auto& item : *message.mutable_items()) {
    if (item.has_hello()) {
      greeted_ = true;
      daemon_.Give([&](Engine& engine) { engine.AgentConnected(shared_from_this(), item.hello()); });
    } else {
      items.push_back(std::move(item));
    }
  }
  if (items.empty()) return;
  if (!greeted_) return Close(absl::InvalidArgumentError("the first item of a stream must be Hello"));
  daemon_.Give([&](Engine& engine) { engine.AgentItems(shared_from_this(), std::move(items)); });
}

void Stream::EndAtAgent(absl::Duration delay, const absl::Status& status) {
  bench_.scheduler.After(delay, [self = shared_from_this(), status] {
    if (!self->agent_open_) return;
    self->agent_open_ = false;
    if (const auto owner = self->owner_.lock()) owner->StreamEnded(self, status);
  });
}

void Stream::EndAtOrchestrator(absl::Duration delay, const std::string& reason) {
  bench_.scheduler.After(delay, [self = shared_from_this(), reason] {
    if (!self->orchestrator_open_) return;
    self->orchestrator_open_ = false;
    if (!self->greeted_ || self->daemon_.generation() != self->generation_) return;
    self->daemon_.Give([&](Engine& engine) { engine.AgentDisconnected(self, reason); });
  });
}

void Stream::Cancel() {
  agent_open_ = false;
  EndAtOrchestrator(orchestrator_deaf_ ? kKeepalive : bench_.scenario.longest_way, "the agent ended the stream");
}

void Stream::Cut() {
  EndAtAgent(random_.Between(absl::Microseconds(100), absl::Seconds(1)),
             absl::UnavailableError("the connection was lost"));
  EndAtOrchestrator(random_.Between(absl::Microseconds(100), absl::Seconds(1)), "the connection was lost");
  agent_deaf_ = true;
  orchestrator_deaf_ = true;
}

void Stream::OrchestratorDied() {
  orchestrator_open_ = false;
  EndAtAgent(random_.Between(absl::Microseconds(100), absl::Milliseconds(50)),
             absl::UnavailableError("the connection was lost"));
}

}  // namespace omnix::simulation
