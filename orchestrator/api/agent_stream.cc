#include "orchestrator/api/agent_stream.h"

#include <grpc/grpc.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

#include "common/crash_point.h"
#include "common/printable.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr absl::Duration kPaceWindow = absl::Seconds(1);
// gRPC ends the stream of a sender of a too large message by itself (with RESOURCE_EXHAUSTED), and does not tell this
// side.
constexpr char kLostOrTooLarge[] = "the connection was lost, or a message was larger than the limit";

grpc::Status ToGrpc(const absl::Status& status) {
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), Message(status));
}

std::chrono::system_clock::time_point After(absl::Duration delay) {
  return std::chrono::system_clock::now() + absl::ToChronoMilliseconds(delay);
}

}  // namespace

void StreamSession::Send(std::vector<v1::OrchestratorItem> items) {
  std::unique_lock lock(mutex_);
  if (ending_.has_value()) return;
  for (auto& item : items) {
    if (const size_t bytes = item.ByteSizeLong(); bytes > kMaxLinkItemBytes) {
      const std::string reason =
          fmt::format("an item of {} bytes is to be sent to the agent, at most {} can be", bytes, kMaxLinkItemBytes);
      AbortLocked(absl::ResourceExhaustedError(reason), reason);
      return Proceed(std::move(lock));
    }
    QueueLocked(std::move(item));
  }
  if (queue_.size() > options_.max_queued_items || queued_bytes_ > options_.max_queued_bytes) {
    const std::string reason =
        fmt::format("the agent does not read: {} items ({} bytes) wait for it", queue_.size(), queued_bytes_);
    AbortLocked(absl::ResourceExhaustedError(reason), reason);
  }
  Proceed(std::move(lock));
}

void StreamSession::QueueLocked(v1::OrchestratorItem item) {
  queued_bytes_ += item.ByteSizeLong();
  queue_.push_back(std::move(item));
}

void StreamSession::End(const absl::Status& status, const std::string& reason) {
  std::unique_lock lock(mutex_);
  if (ending_.has_value()) return;
  EndLocked(status, reason);
  if (!queue_.empty() || writing_) {
    // A peer that doesn't read must not keep the stream open for ever.
    flush_timer_.Set(After(options_.flush_timeout), [weak = weak_from_this(), status, reason](bool expired) {
      if (const auto self = weak.lock(); self != nullptr && expired) self->Abort(status, reason);
    });
  }
  Proceed(std::move(lock));
}

void StreamSession::Abort(const absl::Status& status, const std::string& reason) {
  std::unique_lock lock(mutex_);
  AbortLocked(status, reason);
  Proceed(std::move(lock));
}

void StreamSession::Broken(const std::string& reason) {
  std::unique_lock lock(mutex_);
  EndLocked(absl::CancelledError(reason), reason);
  queue_.clear();
  queued_bytes_ = 0;
  Proceed(std::move(lock));
}

void StreamSession::EndLocked(const absl::Status& status, const std::string& reason) {
  if (ending_.has_value()) return;
  ending_ = status;
  reason_ = reason;
}

void StreamSession::AbortLocked(const absl::Status& status, const std::string& reason) {
  if (finished_) return;
  EndLocked(status, reason);
  queue_.clear();
  queued_bytes_ = 0;
  // A write that waits for a reader who never comes is ended by cancelling the call; unlike
  // CallbackServerContext::TryCancel this tells the peer why. The call is alive: Finish has not been called, and can't
  // be while this lock is held.
  if (writing_) {
    grpc_call_cancel_with_status(context_->c_call(), static_cast<grpc_status_code>(ending_->code()),
                                 Message(*ending_).c_str(), nullptr);
  }
}

void StreamSession::OnWriteDone(bool ok) {
  OMNIX_CRASH_POINT("link.written");
  std::unique_lock lock(mutex_);
  writing_ = false;
  if (!ok) {
    EndLocked(absl::UnavailableError("the connection was lost"), "the connection was lost");
    queue_.clear();
    queued_bytes_ = 0;
  }
  Proceed(std::move(lock));
}

v1::OrchestratorMessage StreamSession::TakeBatchLocked() {
  v1::OrchestratorMessage message;
  size_t bytes = 0;
  while (!queue_.empty() && message.items_size() < kLinkBatchItems) {
    const size_t next = queue_.front().ByteSizeLong();
    if (message.items_size() > 0 && bytes + next > kLinkBatchBytes) break;
    bytes += next;
    *message.add_items() = std::move(queue_.front());
    queue_.pop_front();
  }
  queued_bytes_ -= bytes;
  return message;
}

void StreamSession::Proceed(std::unique_lock<std::mutex> lock) {
  if (writing_ || finished_) return;
  if (!queue_.empty()) {
    writing_ = true;
    const v1::OrchestratorMessage message = TakeBatchLocked();
    lock.unlock();
    write_buffer_.Clear();
    bool own_buffer = false;
    // Can't fail: the size of a message is bounded far below protobuf's limit.
    grpc::GenericSerialize<grpc::ProtoBufferWriter, v1::OrchestratorMessage>(message, &write_buffer_, &own_buffer);
    OMNIX_CRASH_POINT("link.before_write");
    stream_->StartWrite(&write_buffer_);
    return;
  }
  if (!ending_.has_value()) return;
  finished_ = true;
  const grpc::Status status = ToGrpc(*ending_);
  lock.unlock();
  stream_->Finish(status);
}

void StreamSession::StartHelloTimer() {
  const std::lock_guard lock(mutex_);
  hello_timer_.Set(After(options_.hello_timeout),
                   [weak = weak_from_this(), timeout = options_.hello_timeout](bool expired) {
                     const auto self = weak.lock();
                     if (self == nullptr || !expired) return;
                     const std::string reason = fmt::format("no Hello within {}", absl::FormatDuration(timeout));
                     self->Abort(absl::DeadlineExceededError(reason), reason);
                   });
}

void StreamSession::HelloCame() {
  const std::lock_guard lock(mutex_);
  hello_timer_.Cancel();
}

void StreamSession::ReadMore(grpc::ByteBuffer* buffer) {
  const std::lock_guard lock(mutex_);
  if (finished_) return;
  if (delivered_.size() >= options_.max_waiting_messages || delivered_bytes_ >= options_.max_waiting_bytes) {
    paused_read_ = buffer;
  } else {
    stream_->StartRead(buffer);
  }
}

void StreamSession::Delivered(size_t bytes) {
  const std::lock_guard lock(mutex_);
  delivered_.push_back(bytes);
  delivered_bytes_ += bytes;
}

void StreamSession::ItemsTaken() {
  grpc::ByteBuffer* buffer = nullptr;
  {
    const std::lock_guard lock(mutex_);
    delivered_bytes_ -= delivered_.front();
    delivered_.pop_front();
    buffer = std::exchange(paused_read_, nullptr);
  }
  if (buffer != nullptr) ReadMore(buffer);
}

bool StreamSession::ending() const {
  const std::lock_guard lock(mutex_);
  return ending_.has_value();
}

absl::StatusCode StreamSession::ended_with() const {
  const std::lock_guard lock(mutex_);
  return ending_.has_value() ? ending_->code() : absl::StatusCode::kOk;
}

std::string StreamSession::reason() const {
  const std::lock_guard lock(mutex_);
  return reason_;
}

AgentStream::AgentStream(AgentPort* port, grpc::CallbackServerContext* context, const AgentLinkOptions& options,
                         std::shared_ptr<LogBudget> log, std::function<void(AgentStream*)> on_done)
    : port_(port),
      context_(context),
      options_(options),
      log_(std::move(log)),
      on_done_(std::move(on_done)),
      peer_(context->peer()),
      session_(std::make_shared<StreamSession>(this, context, options)) {}

void AgentStream::Begin() {
  session_->StartHelloTimer();
  session_->ReadMore(&read_buffer_);
}

void AgentStream::OnReadDone(bool ok) {
  if (!ok) {
    if (context_->IsCancelled()) {
      session_->Broken(kLostOrTooLarge);
    } else {
      session_->End(absl::OkStatus(), "the agent ended the stream");
    }
    return;
  }
  // What an agent still sends to a closed session comes again on its next stream.
  if (session_->ending()) return;
  const size_t bytes = read_buffer_.Length();
  v1::AgentMessage message;
  const grpc::Status parsed =
      grpc::GenericDeserialize<grpc::ProtoBufferReader, v1::AgentMessage>(&read_buffer_, &message);
  read_buffer_.Clear();
  const size_t items = static_cast<size_t>(message.items_size());
  const absl::Status status = parsed.ok() ? Receive(std::move(message), bytes)
                                          : InvalidArgument("a message of {} bytes is no AgentMessage", bytes);
  if (!status.ok()) {
    session_->End(status, Message(status));
    return;
  }
  ReadAgain(items, bytes);
}

absl::Status AgentStream::Receive(v1::AgentMessage message, size_t bytes) {
  if (message.items_size() > kMaxLinkMessageItems) {
    return InvalidArgument("a message of {} items, at most {} are allowed", message.items_size(), kMaxLinkMessageItems);
  }
  std::vector<v1::AgentItem> items;
  items.reserve(static_cast<size_t>(message.items_size()));
  bool greeted = connected_;
  for (auto& item : *message.mutable_items()) {
    if (item.item_case() == v1::AgentItem::ITEM_NOT_SET)
      return InvalidArgument("an item of a kind that link version {} does not have", kLinkVersion);
    if (item.has_hello() == greeted) {
      return greeted ? InvalidArgument("a second Hello on one stream")
                     : InvalidArgument("the first item of a stream must be Hello");
    }
    if (!greeted) {
      OMNIX_RETURN_IF_ERROR(ReceiveHello(std::move(*item.mutable_hello())));
      greeted = true;
      continue;
    }
    items.push_back(std::move(item));
  }
  OMNIX_CRASH_POINT("link.items_received");
  if (!items.empty()) {
    session_->Delivered(bytes);
    port_->AgentItems(session_, std::move(items));
  }
  return absl::OkStatus();
}

absl::Status AgentStream::ReceiveHello(v1::Hello hello) {
  OMNIX_RETURN_IF_ERROR(CheckHello(hello));
  session_->HelloCame();
  connected_ = true;
  name_ = hello.name();
  if (log_->Take().granted) {
    spdlog::info("agent {} (version {}) connected from {}", name_, PrintableLine(hello.version()), peer_);
  }
  OMNIX_CRASH_POINT("link.hello_received");
  port_->AgentConnected(session_, std::move(hello));
  return absl::OkStatus();
}

void AgentStream::ReadAgain(size_t items, size_t bytes) {
  const absl::Time now = absl::Now();
  // A wall clock that went back begins a new window, too.
  if (now >= window_start_ + kPaceWindow || now < window_start_) {
    window_start_ = now;
    window_items_ = 0;
    window_bytes_ = 0;
  }
  window_items_ += items;
  window_bytes_ += bytes;
  if (window_items_ <= options_.max_items_per_second && window_bytes_ <= options_.max_bytes_per_second) {
    session_->ReadMore(&read_buffer_);
    return;
  }
  // The session says whether the stream is still there.
  pace_timer_.Set(After(window_start_ + kPaceWindow - now), [session = session_, buffer = &read_buffer_](bool expired) {
    if (expired) session->ReadMore(buffer);
  });
}

void AgentStream::OnCancel() { session_->Broken(kLostOrTooLarge); }

void AgentStream::OnDone() {
  LogEnd();
  if (connected_) {
    OMNIX_CRASH_POINT("link.lost");
    port_->AgentDisconnected(session_, session_->reason());
  }
  on_done_(this);
  delete this;
}

void AgentStream::LogEnd() const {
  const LogBudget::Grant grant = log_->Take();
  if (!grant.granted) return;
  if (grant.left_out > 0) {
    spdlog::warn("agent link: {} lines were left out, as too many connections came and went", grant.left_out);
  }
  if (!connected_) return spdlog::warn("agent link: {} refused: {}", peer_, session_->reason());
  const absl::StatusCode code = session_->ended_with();
  const bool is_usual = code == absl::StatusCode::kOk || code == absl::StatusCode::kCancelled ||
                        code == absl::StatusCode::kUnavailable || code == absl::StatusCode::kAborted;
  spdlog::log(is_usual ? spdlog::level::info : spdlog::level::warn, "agent {} ({}) disconnected: {}", name_, peer_,
              session_->reason());
}

}  // namespace omnix
