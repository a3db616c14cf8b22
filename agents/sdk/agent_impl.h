// What stands behind Agent: the link's state under one lock, the stream below it, the workers above it, and the thread
// of Run that waits for time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "agents/sdk/agent.h"
#include "agents/sdk/agent_stream.h"
#include "agents/sdk/link_state.h"
#include "agents/sdk/worker_pool.h"
#include "common/clock.h"

namespace omnix {

struct Agent::Impl {
 public:
  explicit Impl(AgentOptions agent_options);

  absl::Status Run();
  void Stop();
  bool idle() const;

  // For the contexts of tasks. `change` runs under the lock; what it leaves to be sent is sent.
  template <typename Change>
  void Update(Change change);
  absl::Status MayAct(const v1::LeaseId& lease) const;
  absl::Duration Remaining(const v1::LeaseId& lease) const;

  const AgentOptions options;
  const std::shared_ptr<grpc::Channel> channel;
  std::map<std::string, TaskHandler> handlers;
  std::vector<v1::TaskType> task_types;
  // The first mistake of an Offer.
  absl::Status offered = absl::OkStatus();
  std::function<absl::Status(const v1::Prepare&)> on_prepare;

 private:
  // How Run stops: work may end, then it is cancelled, then the last results are acknowledged.
  enum class Stopping { kNo, kWaiting, kCancelled };

  v1::Hello Identity() const;
  absl::Duration Monotonic() const { return clock_.Monotonic(); }

  // Of Run's thread, with the lock held.
  absl::Status ServeLocked(std::unique_lock<std::mutex>& lock);
  void ConnectLocked(std::unique_lock<std::mutex>& lock);
  void CloseStreamLocked(std::unique_lock<std::mutex>& lock);
  void BeginStopLocked();
  bool StoppedLocked(absl::Duration now);
  bool StopsNowLocked() const;
  absl::Duration WakeLocked(absl::Duration now) const;
  void WaitLocked(std::unique_lock<std::mutex>& lock, absl::Duration until);

  bool Received(v1::OrchestratorMessage message);
  void Ended(const absl::Status& status);
  void Carry(LinkState::Orders orders);
  void Work(const v1::Assign& assign);
  v1::Result Attempt(const v1::Assign& assign);
  v1::Prepared Prepare(const v1::Prepare& prepare) const;
  absl::Duration Backoff();

  const SystemClock clock_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::unique_ptr<LinkState> state_;
  std::shared_ptr<ClientStream> stream_;
  bool stream_ended_ = false;
  bool was_open_ = false;
  absl::Status protocol_error_;
  absl::Status stream_status_;
  absl::Duration connect_at_;
  // When Run's thread looks again; what is due earlier must wake it.
  absl::Duration sleeps_until_ = -absl::InfiniteDuration();
  int failures_ = 0;
  std::string last_failure_;
  std::mt19937_64 random_{std::random_device{}()};

  bool stop_asked_ = false;
  Stopping stopping_ = Stopping::kNo;
  absl::Duration stop_at_;

  // Last: its threads end before the rest goes.
  std::unique_ptr<WorkerPool> pool_;
};

template <typename Change>
void Agent::Impl::Update(Change change) {
  std::shared_ptr<ClientStream> stream;
  {
    const std::lock_guard lock(mutex_);
    change(*state_);
    stream = stream_;
    if (state_->NextWake() < sleeps_until_ || stop_asked_) wake_.notify_one();
  }
  if (stream != nullptr) stream->Pump();
}

}  // namespace omnix
