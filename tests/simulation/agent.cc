#include "tests/simulation/agent.h"

#include <algorithm>

#include "common/status.h"

namespace omnix::simulation {
namespace {

constexpr absl::Duration kMinBackoff = absl::Milliseconds(100);
constexpr absl::Duration kMaxBackoff = absl::Seconds(5);
constexpr int kMaxBackoffDoublings = 6;
constexpr absl::Duration kStopGrace = absl::Seconds(10);
// How soon the end of a process is noticed by what starts it again.
constexpr absl::Duration kLookInterval = absl::Seconds(1);

// As Agent::Impl: before Welcome no retry mends these.
bool IsFinal(absl::StatusCode code) {
  return code == absl::StatusCode::kInvalidArgument || code == absl::StatusCode::kFailedPrecondition ||
         code == absl::StatusCode::kPermissionDenied || code == absl::StatusCode::kAlreadyExists;
}

uint64_t NextProcessId(Host& host) { return host.NewProcess(); }

}  // namespace

AgentProcess::AgentProcess(Bench& bench, Daemon& daemon, Host& host, const AgentPlace& place, uint64_t instance)
    : bench_(bench),
      daemon_(daemon),
      host_(host),
      random_(bench.random.Fork()),
      place_(place),
      id_(NextProcessId(host)),
      state_(Identity(instance)) {}

v1::Hello AgentProcess::Identity(uint64_t instance) const {
  v1::Hello hello;
  hello.set_link_version(1);
  hello.set_name(place_.name);
  hello.set_instance_id(fmt::format("{:016x}", instance));
  hello.set_kind(place_.kind);
  hello.set_capacity(place_.capacity);
  for (const auto& type : place_.task_types) hello.add_task_types()->set_name(type);
  return hello;
}

void AgentProcess::Await(absl::Duration when, std::function<void()> action) {
  bench_.scheduler.At(when, [self = shared_from_this(), action = std::move(action)]() mutable {
    if (!self->alive_) return;
    if (self->bench_.now() < self->frozen_until_) return self->Await(self->frozen_until_, std::move(action));
    action();
  });
}

void AgentProcess::Later(absl::Duration delay, std::function<void()> action) {
  Await(bench_.now() + delay, std::move(action));
}

void AgentProcess::Start() { Connect(); }

void AgentProcess::Connect() {
  if (stream_ != nullptr) return;
  if (!daemon_.up()) return LinkLost(absl::UnavailableError("connection refused"));
  state_.Begin(bench_.now());
  was_open_ = false;
  stream_ = std::make_shared<Stream>(bench_, daemon_, weak_from_this(), place_.name);
  daemon_.OnCrash([weak = std::weak_ptr<Stream>(stream_)] {
    if (const auto stream = weak.lock()) stream->OrchestratorDied();
  });
  Pump();
}

void AgentProcess::StreamEnded(const std::shared_ptr<Stream>& stream, const absl::Status& status) {
  Await(bench_.now(), [this, stream, status] {
    if (stream == stream_) LinkLost(status);
  });
}

void AgentProcess::LinkLost(const absl::Status& status) {
  bench_.trace.Add(bench_.now(), "agent", "{}: link lost: {}", place_.name, Message(status));
  stream_.reset();
  state_.End();
  if (!was_open_ && IsFinal(status.code())) return Kill();
  const int doublings = std::min(failures_++, kMaxBackoffDoublings);
  const absl::Duration most = std::min(kMaxBackoff, kMinBackoff * (1 << doublings));
  Later(random_.Between(kMinBackoff, most), [this] { Connect(); });
}

void AgentProcess::StreamGave(const std::shared_ptr<Stream>& stream, v1::OrchestratorMessage message) {
  if (alive_ && bench_.now() < frozen_until_) {
    return Await(frozen_until_, [this, stream, message = std::move(message)] { StreamGave(stream, message); });
  }
  if (!alive_ || stream != stream_) return;
  auto orders = state_.Receive(std::move(message), bench_.now());
  if (!orders.ok()) {
    stream_->Cancel();
    return LinkLost(orders.status());
  }
  if (state_.open() && !was_open_) {
    was_open_ = true;
    failures_ = 0;
  }
  Carry(*std::move(orders));
  Pump();
}

void AgentProcess::Carry(LinkState::Orders orders) {
  for (auto& assign : orders.start) BeginTask(shared_from_this(), std::move(assign));
  for (const auto& prepare : orders.prepare) {
    v1::Prepared prepared;
    prepared.set_incident_id(prepare.incident_id());
    prepared.set_ready(true);
    state_.Answer(std::move(prepared));
  }
}

void AgentProcess::Pump() {
  if (stream_ == nullptr) return;
  if (state_.Silent(bench_.now())) {
    stream_->Cancel();
    return LinkLost(absl::UnavailableError("nothing came for too long"));
  }
  for (v1::AgentMessage message = state_.Next(bench_.now()); message.items_size() > 0;
       message = state_.Next(bench_.now())) {
    stream_->Write(std::move(message));
  }
  if (stopping_ && state_.idle()) return Kill();
  Wake();
}

void AgentProcess::Wake() {
  const absl::Duration next = state_.NextWake();
  if (next >= wakes_at_) return;
  wakes_at_ = next;
  Await(next, [this, next] {
    if (wakes_at_ != next) return;
    wakes_at_ = absl::InfiniteDuration();
    Pump();
  });
}

void AgentProcess::Report(const v1::LeaseId& lease, v1::Evidence evidence) {
  state_.AddEvidence(lease, std::move(evidence));
  Pump();
}

void AgentProcess::Finish(v1::Result result) {
  Carry(state_.Finish(std::move(result), bench_.now()));
  Pump();
}

void AgentProcess::SendRaw(v1::AgentItem item) {
  if (stream_ == nullptr || !state_.open()) return;
  v1::AgentMessage message;
  *message.add_items() = std::move(item);
  stream_->Write(std::move(message));
}

void AgentProcess::Kill() {
  if (!alive_) return;
  bench_.trace.Add(bench_.now(), "agent", "{}: process ended", place_.name);
  alive_ = false;
  host_.ProcessEnded(id_);
  if (stream_ != nullptr) stream_->Cancel();
  stream_.reset();
}

void AgentProcess::Stop() {
  stopping_ = true;
  state_.Stop("the agent stops");
  Later(kStopGrace, [this] { Kill(); });
  Pump();
}

void Agent::Start() {
  process_ = std::make_shared<AgentProcess>(bench_, daemon_, host_, place_, ++instances_);
  process_->Start();
  StartAgainWhenEnded();
}

void Agent::StartAgainWhenEnded() {
  bench_.scheduler.After(kLookInterval, [this] {
    if (process_->alive()) return StartAgainWhenEnded();
    bench_.scheduler.After(random_.Between(absl::Milliseconds(10), absl::Seconds(20)), [this] { Start(); });
  });
}

}  // namespace omnix::simulation
