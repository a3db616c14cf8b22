#include "agents/sdk/agent_impl.h"

#include <grpc/grpc.h>
#include <grpcpp/create_channel.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "agents/sdk/task_context.h"
#include "common/crash_point.h"
#include "common/hash.h"
#include "common/redact.h"
#include "common/status.h"
#include "common/time.h"

namespace omnix {
namespace {

constexpr absl::Duration kMinBackoff = absl::Milliseconds(100);
constexpr absl::Duration kMaxBackoff = absl::Seconds(5);
constexpr int kMaxBackoffDoublings = 6;
constexpr absl::Duration kStopGrace = absl::Seconds(10);
// After the grace: until cancelled handlers have returned and the last results are acknowledged.
constexpr absl::Duration kCancelGrace = absl::Seconds(5);
constexpr absl::Duration kCloseTimeout = absl::Seconds(2);
constexpr absl::Duration kBusyWait = absl::Milliseconds(5);
constexpr absl::Duration kKeepaliveTime = absl::Seconds(20);
constexpr absl::Duration kKeepaliveTimeout = absl::Seconds(10);
constexpr int kInstanceIdBytes = 16;
constexpr size_t kMaxErrorBytes = 4096;

int Milliseconds(absl::Duration duration) { return static_cast<int>(absl::ToInt64Milliseconds(duration)); }

std::shared_ptr<grpc::Channel> Dial(const std::string& target) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxLinkMessageBytes);
  arguments.SetMaxSendMessageSize(kMaxLinkMessageBytes);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(kKeepaliveTime));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Milliseconds(kKeepaliveTimeout));
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // The agent waits between its own attempts; gRPC's longer waits must not add to them.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, Milliseconds(kMinBackoff));
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, Milliseconds(kMaxBackoff));
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, Milliseconds(kMinBackoff));
  // A proxy meant for the web must not come between an agent and its orchestrator.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // Agents of one process have a connection each.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

// Refusals that no retry mends; only before Welcome: later they speak of a message.
bool IsFinal(absl::StatusCode code) {
  return code == absl::StatusCode::kInvalidArgument || code == absl::StatusCode::kFailedPrecondition ||
         code == absl::StatusCode::kPermissionDenied || code == absl::StatusCode::kAlreadyExists;
}

v1::Outcome OutcomeOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return v1::OUTCOME_SUCCEEDED;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kUnimplemented:
      return v1::OUTCOME_FAILED_FINALLY;
    case absl::StatusCode::kCancelled:
      return v1::OUTCOME_CANCELLED;
    default:
      return v1::OUTCOME_FAILED;
  }
}

v1::Result ResultOf(absl::StatusOr<v1::Product> product) {
  v1::Result result;
  result.set_outcome(OutcomeOf(product.status().code()));
  if (product.ok()) {
    *result.mutable_product() = *std::move(product);
  } else {
    result.set_error(Excerpt(Message(product.status()), kMaxErrorBytes));
  }
  return result;
}

}  // namespace

Agent::Impl::Impl(AgentOptions agent_options)
    : options(std::move(agent_options)), channel(Dial(options.orchestrator)) {}

v1::Hello Agent::Impl::Identity() const {
  v1::Hello hello;
  hello.set_link_version(kLinkVersion);
  hello.set_name(options.name);
  hello.set_instance_id(RandomHex(kInstanceIdBytes));
  hello.set_kind(options.kind);
  hello.set_version(options.version);
  hello.set_capacity(options.capacity);
  for (const auto& type : task_types) *hello.add_task_types() = type;
  for (const auto& [key, value] : options.labels) (*hello.mutable_labels())[key] = value;
  return hello;
}

absl::Status Agent::Impl::Run() {
  OMNIX_RETURN_IF_ERROR(offered);
  const v1::Hello hello = Identity();
  OMNIX_RETURN_IF_ERROR(CheckHello(hello));
  std::unique_lock lock(mutex_);
  if (state_ != nullptr) return FailedPrecondition("an agent runs once");
  state_ = std::make_unique<LinkState>(hello);
  pool_ = std::make_unique<WorkerPool>(options.capacity);
  const absl::Status status = ServeLocked(lock);
  CloseStreamLocked(lock);
  return status;
}

void Agent::Impl::Stop() {
  const std::lock_guard lock(mutex_);
  stop_asked_ = true;
  wake_.notify_one();
}

bool Agent::Impl::idle() const {
  const std::lock_guard lock(mutex_);
  return state_ == nullptr || state_->running() == 0;
}

absl::Status Agent::Impl::ServeLocked(std::unique_lock<std::mutex>& lock) {
  while (true) {
    const absl::Duration now = Monotonic();
    if (stop_asked_ && stopping_ == Stopping::kNo) BeginStopLocked();
    if (stopping_ != Stopping::kNo && StoppedLocked(now)) return absl::OkStatus();
    if (stream_ != nullptr && stream_ended_) {
      stream_.reset();
      state_->End();
      const absl::Status status = protocol_error_.ok() ? stream_status_ : protocol_error_;
      if (!was_open_ && IsFinal(status.code())) {
        state_->CancelAll("the agent stops: " + Message(status));
        return Annotate(status, options.orchestrator + " refused the agent: ");
      }
      const absl::Duration backoff = Backoff();
      connect_at_ = now + backoff;
      // The same failure over and over is one line.
      if (was_open_ || last_failure_ != Message(status)) {
        spdlog::warn("link to {} lost: {}; retrying", options.orchestrator,
                     status.ok() ? "ended by the orchestrator" : Message(status));
      }
      last_failure_ = Message(status);
    }
    if (stream_ == nullptr && now >= connect_at_) ConnectLocked(lock);
    if (const auto stream = stream_; stream != nullptr) {
      const bool silent = state_->Silent(now);
      lock.unlock();
      if (silent) {
        stream->Cancel();
      } else {
        stream->Pump();
      }
      lock.lock();
    }
    WaitLocked(lock, WakeLocked(Monotonic()));
  }
}

void Agent::Impl::ConnectLocked(std::unique_lock<std::mutex>& lock) {
  state_->Begin(Monotonic());
  stream_ended_ = false;
  was_open_ = false;
  protocol_error_ = absl::OkStatus();
  ClientStreamEvents events;
  events.next = [this] {
    const std::lock_guard guard(mutex_);
    return state_->Next(Monotonic());
  };
  events.received = [this](v1::OrchestratorMessage message) { return Received(std::move(message)); };
  events.ended = [this](const absl::Status& status) { Ended(status); };
  const auto stream = stream_ = std::make_shared<ClientStream>(std::move(events));
  lock.unlock();
  grpc::experimental::ChannelResetConnectionBackoff(channel.get());
  OMNIX_CRASH_POINT("sdk.before_connect");
  stream->Start(channel);
  lock.lock();
}

void Agent::Impl::CloseStreamLocked(std::unique_lock<std::mutex>& lock) {
  const auto stream = stream_;
  if (stream == nullptr) return;
  lock.unlock();
  stream->HalfClose();
  lock.lock();
  const auto ended = [this] { return stream_ended_; };
  if (!wake_.wait_for(lock, absl::ToChronoMilliseconds(kCloseTimeout), ended)) {
    lock.unlock();
    stream->Cancel();
    lock.lock();
    // A cancelled call always ends.
    wake_.wait(lock, ended);
  }
  stream_.reset();
  state_->End();
}

void Agent::Impl::BeginStopLocked() {
  stopping_ = Stopping::kWaiting;
  stop_at_ = Monotonic() + kStopGrace;
  state_->Stop("the agent stops");
}

bool Agent::Impl::StopsNowLocked() const {
  // Where nothing runs and nobody is there to acknowledge, the orchestrator makes another attempt.
  return state_->idle() || (state_->running() == 0 && stream_ == nullptr);
}

bool Agent::Impl::StoppedLocked(absl::Duration now) {
  if (StopsNowLocked()) return true;
  if (now < stop_at_) return false;
  if (stopping_ == Stopping::kCancelled) return true;
  stopping_ = Stopping::kCancelled;
  stop_at_ = now + kCancelGrace;
  state_->CancelAll("the agent stops");
  return false;
}

absl::Duration Agent::Impl::WakeLocked(absl::Duration now) const {
  absl::Duration until = stream_ == nullptr ? connect_at_ : state_->NextWake();
  // A silent stream has been cancelled: its end wakes this thread.
  if (state_->Silent(now)) until = absl::InfiniteDuration();
  if (stopping_ != Stopping::kNo) until = std::min(until, stop_at_);
  // What is due although the stream was just pumped waits for a write under way, which sends it when it is done.
  return std::max(until, now + kBusyWait);
}

void Agent::Impl::WaitLocked(std::unique_lock<std::mutex>& lock, absl::Duration until) {
  const absl::Duration now = Monotonic();
  const bool stop_news = stop_asked_ && (stopping_ == Stopping::kNo || StopsNowLocked());
  if ((stream_ != nullptr && stream_ended_) || stop_news) return;
  sleeps_until_ = until;
  if (until == absl::InfiniteDuration()) {
    wake_.wait(lock);
  } else {
    wake_.wait_for(lock, absl::ToChronoNanoseconds(until - now));
  }
  sleeps_until_ = -absl::InfiniteDuration();
}

bool Agent::Impl::Received(v1::OrchestratorMessage message) {
  LinkState::Orders orders;
  {
    const std::lock_guard lock(mutex_);
    auto received = state_->Receive(std::move(message), Monotonic());
    if (!received.ok()) {
      protocol_error_ = received.status();
      return false;
    }
    if (state_->open() && !was_open_) {
      was_open_ = true;
      failures_ = 0;
      last_failure_.clear();
      spdlog::info("linked to {} as {}", options.orchestrator, options.name);
    }
    orders = *std::move(received);
    if (state_->NextWake() < sleeps_until_ || stop_asked_) wake_.notify_one();
  }
  Carry(std::move(orders));
  return true;
}

void Agent::Impl::Ended(const absl::Status& status) {
  const std::lock_guard lock(mutex_);
  stream_status_ = status;
  stream_ended_ = true;
  // Under the lock: once Run has seen it, this object may go.
  wake_.notify_all();
}

void Agent::Impl::Carry(LinkState::Orders orders) {
  std::vector<std::function<void()>> jobs;
  jobs.reserve(orders.start.size());
  for (auto& assign : orders.start) jobs.emplace_back([this, work = std::move(assign)] { Work(work); });
  pool_->Add(std::move(jobs));
  for (const auto& prepare : orders.prepare) {
    OMNIX_CRASH_POINT("sdk.before_prepared");
    v1::Prepared prepared = Prepare(prepare);
    Update([&](LinkState& state) { state.Answer(std::move(prepared)); });
  }
}

void Agent::Impl::Work(const v1::Assign& assign) {
  OMNIX_CRASH_POINT("sdk.before_attempt");
  v1::Result result = Attempt(assign);
  OMNIX_CRASH_POINT("sdk.attempted");
  *result.mutable_lease() = assign.lease();
  LinkState::Orders orders;
  Update([&](LinkState& state) { orders = state.Finish(std::move(result), Monotonic()); });
  OMNIX_CRASH_POINT("sdk.result_held");
  Carry(std::move(orders));
}

v1::Result Agent::Impl::Attempt(const v1::Assign& assign) {
  if (const absl::Status status = MayAct(assign.lease()); !status.ok()) return ResultOf(status);
  const auto handler = handlers.find(assign.type());
  if (handler == handlers.end())
    return ResultOf(absl::InternalError(fmt::format("{} does not offer {}", options.name, assign.type())));
  absl::StatusOr<Json> input = ParseJson(assign.input_json());
  if (!input.ok()) return ResultOf(Annotate(input.status(), "input of " + assign.type() + ": "));
  LinkedTaskContext context(this, assign, *std::move(input));
  try {
    return ResultOf(handler->second(context));
  } catch (const std::exception& error) {
    return ResultOf(Internal("{} failed: {}", assign.type(), error.what()));
  } catch (...) {
    return ResultOf(Internal("{} failed with an exception of an unknown type", assign.type()));
  }
}

v1::Prepared Agent::Impl::Prepare(const v1::Prepare& prepare) const {
  absl::Status ready = absl::OkStatus();
  if (on_prepare) {
    try {
      ready = on_prepare(prepare);
    } catch (const std::exception& error) {
      ready = Internal("{}", error.what());
    }
  }
  v1::Prepared prepared;
  prepared.set_incident_id(prepare.incident_id());
  prepared.set_ready(ready.ok());
  if (!ready.ok()) prepared.set_reason(Excerpt(Message(ready), kMaxErrorBytes));
  return prepared;
}

absl::Duration Agent::Impl::Backoff() {
  const int doublings = std::min(failures_++, kMaxBackoffDoublings);
  const absl::Duration most = std::min(kMaxBackoff, kMinBackoff * (1 << doublings));
  // Spread, so that a thousand agents don't come back in the same instant.
  std::uniform_real_distribution<double> share(0.0, 1.0);
  return kMinBackoff + (most - kMinBackoff) * share(random_);
}

absl::Status Agent::Impl::MayAct(const v1::LeaseId& lease) const {
  const std::lock_guard lock(mutex_);
  return state_->MayAct(lease, Monotonic());
}

absl::Duration Agent::Impl::Remaining(const v1::LeaseId& lease) const {
  const std::lock_guard lock(mutex_);
  return state_->Remaining(lease, Monotonic());
}

}  // namespace omnix
