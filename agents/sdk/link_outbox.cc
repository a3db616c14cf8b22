// The sending half of LinkState: what goes into the next message, and when there is one.
#include <algorithm>
#include <utility>

#include "agents/sdk/link_state.h"
#include "common/crash_point.h"

namespace omnix {
namespace {

constexpr size_t kMaxHeartbeatsOnTheWay = 64;

}  // namespace

v1::AgentMessage LinkState::Next(absl::Duration now) {
  v1::AgentMessage message;
  if (session_ == Session::kGreeting && !greeted_) {
    greeted_ = true;
    *message.add_items() = Greeting();
  }
  if (session_ != Session::kOpen) return message;
  if (now >= heartbeat_due_) {
    RepeatResults(now);
    *message.add_items() = HeartbeatItem(now);
  }
  size_t bytes = 0;
  while (!outbox_.empty() && message.items_size() < kLinkBatchItems && bytes < kLinkBatchBytes) {
    std::optional<v1::AgentItem> item = Make(outbox_.front(), now);
    if (item.has_value()) {
      const size_t item_bytes = item->ByteSizeLong();
      // Two large ones together could exceed what a receiver takes.
      if (message.items_size() > 0 && bytes + item_bytes > kLinkBatchBytes) break;
      bytes += item_bytes;
      *message.add_items() = *std::move(item);
    }
    outbox_.pop_front();
  }
  if (outbox_.empty()) AddProgress(now, message);
  return message;
}

absl::Duration LinkState::NextWake() const {
  absl::Duration wake = std::min(silent_at_, heartbeat_due_);
  if (session_ == Session::kOpen && !progress_.empty()) wake = std::min(wake, progress_due_);
  return wake;
}

v1::AgentItem LinkState::Greeting() {
  OMNIX_CRASH_POINT("sdk.before_hello");
  v1::AgentItem item;
  *item.mutable_hello() = identity_;
  for (const LeasePtr& lease : InOrder()) {
    if (!lease->dropped) *item.mutable_hello()->add_running() = lease->id;
  }
  return item;
}

v1::AgentItem LinkState::HeartbeatItem(absl::Duration now) {
  heartbeat_due_ = now + heartbeat_interval_;
  heartbeats_.emplace_back(++heartbeat_number_, now);
  if (heartbeats_.size() > kMaxHeartbeatsOnTheWay) heartbeats_.pop_front();
  v1::AgentItem item;
  item.mutable_heartbeat()->set_number(heartbeat_number_);
  item.mutable_heartbeat()->set_running(static_cast<uint32_t>(running_));
  return item;
}

void LinkState::RepeatResults(absl::Duration now) {
  // What still waits for its first sending is no repetition.
  if (!outbox_.empty()) return;
  for (const LeasePtr& lease : InOrder()) {
    if (lease->phase == Phase::kFinished && now >= lease->result_sent + kResultRepeatInterval) {
      Push({Outgoing::Kind::kResult, lease, 0, {}});
    }
  }
}

std::optional<v1::AgentItem> LinkState::Make(const Outgoing& outgoing, absl::Duration now) {
  v1::AgentItem item;
  if (outgoing.kind == Outgoing::Kind::kPrepared) {
    *item.mutable_prepared() = outgoing.prepared;
    return item;
  }
  Lease& lease = *outgoing.lease;
  if (lease.dropped) return std::nullopt;
  switch (outgoing.kind) {
    case Outgoing::Kind::kAccepted:
      OMNIX_CRASH_POINT("sdk.before_accepted");
      *item.mutable_accepted()->mutable_lease() = lease.id;
      break;
    case Outgoing::Kind::kEvidence:
      OMNIX_CRASH_POINT("sdk.before_evidence");
      *item.mutable_evidence()->mutable_lease() = lease.id;
      *item.mutable_evidence()->add_evidence() = lease.evidence[outgoing.evidence_index];
      break;
    case Outgoing::Kind::kResult:
      OMNIX_CRASH_POINT("sdk.before_result");
      *item.mutable_result() = lease.result;
      lease.result_sent = now;
      break;
    case Outgoing::Kind::kPrepared:
      break;
  }
  return item;
}

void LinkState::AddProgress(absl::Duration now, v1::AgentMessage& message) {
  if (progress_.empty() || now < progress_due_) return;
  progress_due_ = now + kProgressInterval;
  size_t taken = 0;
  for (; taken < progress_.size() && message.items_size() < kLinkBatchItems; ++taken) {
    Lease& lease = *progress_[taken];
    if (!lease.progress.has_value() || lease.dropped) continue;
    *message.add_items()->mutable_progress() = *std::move(lease.progress);
    lease.progress.reset();
  }
  progress_.erase(progress_.begin(), progress_.begin() + static_cast<std::ptrdiff_t>(taken));
}

}  // namespace omnix
