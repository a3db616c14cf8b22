// An agent's twin: the SDK's real link state, run as Agent::Impl runs it, by the scheduler instead of threads. Its
// process may crash, stand still, be stopped, hang, fail and lie; a new process of the same name follows.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agents/sdk/link_state.h"
#include "tests/simulation/bench.h"
#include "tests/simulation/daemon.h"
#include "tests/simulation/host.h"
#include "tests/simulation/stream.h"

namespace omnix::simulation {

// One process: from its start to its end.
class AgentProcess final : public StreamOwner, public std::enable_shared_from_this<AgentProcess> {
 public:
  AgentProcess(Bench& bench, Daemon& daemon, Host& host, const AgentPlace& place, uint64_t instance);

  void Start();
  // As kill -9.
  void Kill();
  // SIGTERM: what runs may end, then it goes.
  void Stop();
  // SIGSTOP until then.
  void Freeze(absl::Duration until) { frozen_until_ = until; }

  bool alive() const { return alive_; }
  bool draining() const { return state_.draining(); }
  uint64_t id() const { return id_; }
  const std::shared_ptr<Stream>& stream() const { return stream_; }

  // For its tasks.
  Bench& bench() { return bench_; }
  Daemon& daemon() { return daemon_; }
  Host& host() { return host_; }
  Random& random() { return random_; }
  const std::string& name() const { return place_.name; }
  absl::Status MayAct(const v1::LeaseId& lease) const { return state_.MayAct(lease, bench_.now()); }
  void Report(const v1::LeaseId& lease, v1::Evidence evidence);
  void Finish(v1::Result result);
  // Past the link's state: what a broken agent might send.
  void SendRaw(v1::AgentItem item);
  // Runs it then, unless the process has ended; once it goes on, where it stands still.
  void Later(absl::Duration delay, std::function<void()> action);

  void StreamGave(const std::shared_ptr<Stream>& stream, v1::OrchestratorMessage message) override;
  void StreamEnded(const std::shared_ptr<Stream>& stream, const absl::Status& status) override;

 private:
  void Connect();
  void LinkLost(const absl::Status& status);
  void Pump();
  void Wake();
  void Carry(LinkState::Orders orders);
  void Await(absl::Duration when, std::function<void()> action);
  v1::Hello Identity(uint64_t instance) const;

  Bench& bench_;
  Daemon& daemon_;
  Host& host_;
  Random random_;
  const AgentPlace& place_;
  const uint64_t id_;
  LinkState state_;
  std::shared_ptr<Stream> stream_;
  bool alive_ = true;
  bool was_open_ = false;
  bool stopping_ = false;
  int failures_ = 0;
  absl::Duration frozen_until_;
  absl::Duration wakes_at_ = absl::InfiniteDuration();
};

// What keeps an agent running: starts a process again after the former has ended.
class Agent {
 public:
  Agent(Bench& bench, Daemon& daemon, Host& host, const AgentPlace& place)
      : bench_(bench), daemon_(daemon), host_(host), place_(place), random_(bench.random.Fork()) {}

  void Start();
  AgentProcess& process() { return *process_; }

 private:
  void StartAgainWhenEnded();

  Bench& bench_;
  Daemon& daemon_;
  Host& host_;
  const AgentPlace& place_;
  Random random_;
  std::shared_ptr<AgentProcess> process_;
  uint64_t instances_ = 0;
};

// task.cc: works on a task, as a handler would, and finishes it.
void BeginTask(const std::shared_ptr<AgentProcess>& process, v1::Assign assign);

}  // namespace omnix::simulation
