#include "agents/sdk/link_state.h"

#include <algorithm>
#include <utility>

#include "common/crash_point.h"
#include "common/status.h"
#include "common/time.h"

namespace omnix {
namespace {

// Where a Welcome says nothing.
constexpr absl::Duration kDefaultHeartbeatInterval = absl::Seconds(2);
constexpr absl::Duration kDefaultLeaseDuration = absl::Seconds(10);
constexpr absl::Duration kMinHeartbeatInterval = absl::Milliseconds(10);
// Heartbeats are sent this much earlier than asked, so that a late thread is still in time.
constexpr double kHeartbeatShare = 0.8;
// An orchestrator that is silent for this many lease durations is dialled again.
constexpr int kSilentLeases = 2;
// Beyond so many waiting items an answer to a roll call is dropped: the orchestrator goes on without it.
constexpr size_t kMaxOutgoing = 200'000;

std::string NameOf(const v1::LeaseId& id) {
  return fmt::format("{} of {} (attempt {})", id.task_id(), id.incident_id(), id.attempt());
}

}  // namespace

LinkState::LinkState(v1::Hello identity) : identity_(std::move(identity)) {}

LinkState::Key LinkState::KeyOf(const v1::LeaseId& id) {
  return Key(id.incident_id(), id.task_id(), id.attempt(), id.fencing_token());
}

LinkState::Lease* LinkState::Find(const v1::LeaseId& id) const {
  const auto found = leases_.find(KeyOf(id));
  return found == leases_.end() ? nullptr : found->second.get();
}

std::vector<LinkState::LeasePtr> LinkState::InOrder() const {
  std::vector<LeasePtr> leases;
  leases.reserve(leases_.size());
  for (const auto& [key, lease] : leases_) leases.push_back(lease);
  std::sort(leases.begin(), leases.end(), [](const LeasePtr& a, const LeasePtr& b) { return a->number < b->number; });
  return leases;
}

void LinkState::Begin(absl::Duration now) {
  End();
  session_ = Session::kGreeting;
  begun_at_ = now;
  silent_at_ = now + kWelcomeTimeout;
}

void LinkState::End() {
  session_ = Session::kIdle;
  greeted_ = false;
  silent_at_ = absl::InfiniteDuration();
  heartbeat_due_ = absl::InfiniteDuration();
  heartbeat_number_ = 0;
  heartbeats_.clear();
  outbox_.clear();
}

absl::StatusOr<LinkState::Orders> LinkState::Receive(v1::OrchestratorMessage message, absl::Duration now) {
  Orders orders;
  for (auto& item : *message.mutable_items()) OMNIX_RETURN_IF_ERROR(ReceiveItem(item, now, orders));
  if (session_ == Session::kOpen) silent_at_ = now + kSilentLeases * lease_duration_;
  return orders;
}

absl::Status LinkState::ReceiveItem(v1::OrchestratorItem& item, absl::Duration now, Orders& orders) {
  if (session_ != Session::kOpen && !item.has_welcome()) {
    return InvalidArgument("the orchestrator's first item is not Welcome");
  }
  switch (item.item_case()) {
    case v1::OrchestratorItem::kWelcome:
      return ReceiveWelcome(item.welcome(), now, orders);
    case v1::OrchestratorItem::kPrepare:
      orders.prepare.push_back(std::move(*item.mutable_prepare()));
      break;
    case v1::OrchestratorItem::kAssign:
      ReceiveAssign(std::move(*item.mutable_assign()), now, orders);
      break;
    case v1::OrchestratorItem::kRenew:
      ReceiveRenew(item.renew());
      break;
    case v1::OrchestratorItem::kCancel:
      ReceiveCancel(item.cancel());
      break;
    case v1::OrchestratorItem::kDrain:
      draining_ = true;
      break;
    case v1::OrchestratorItem::kResultAck:
      OMNIX_CRASH_POINT("sdk.before_result_ack");
      Forget(item.result_ack().lease());
      OMNIX_CRASH_POINT("sdk.result_acked");
      break;
    case v1::OrchestratorItem::ITEM_NOT_SET:
      return InvalidArgument("an item of a kind that link version {} does not have", kLinkVersion);
  }
  return absl::OkStatus();
}

absl::Status LinkState::ReceiveWelcome(const v1::Welcome& welcome, absl::Duration now, Orders& orders) {
  if (session_ != Session::kGreeting) return InvalidArgument("a second Welcome on one stream");
  if (welcome.link_version() != kLinkVersion) {
    return FailedPrecondition("the orchestrator speaks version {} of the agent link, this agent version {}",
                              welcome.link_version(), kLinkVersion);
  }
  OMNIX_CRASH_POINT("sdk.welcomed");
  session_ = Session::kOpen;
  // An orchestrator that still wants it drained says so again.
  draining_ = stopping_;
  heartbeat_interval_ = std::max(kMinHeartbeatInterval,
                                 OrDefault(welcome.heartbeat_interval(), kDefaultHeartbeatInterval) * kHeartbeatShare);
  lease_duration_ = OrDefault(welcome.lease_duration(), kDefaultLeaseDuration);
  // Welcome answers Hello, as Renew answers a heartbeat.
  valid_until_ = std::max(valid_until_, begun_at_ + lease_duration_);
  heartbeat_due_ = now;
  for (const auto& id : welcome.unknown()) Drop(id);
  StartQueued(now, orders);
  for (const LeasePtr& lease : InOrder()) {
    if (lease->dropped) continue;
    for (size_t i = 0; i < lease->evidence.size(); ++i) Push({Outgoing::Kind::kEvidence, lease, i, {}});
    if (lease->phase == Phase::kFinished) Push({Outgoing::Kind::kResult, lease, 0, {}});
  }
  return absl::OkStatus();
}

void LinkState::ReceiveAssign(v1::Assign assign, absl::Duration now, Orders& orders) {
  // Beyond this not even a refusal is held: the lease runs out.
  if (leases_.size() >= static_cast<size_t>(kMaxHelloRunning)) return;
  auto [place, is_new] = leases_.try_emplace(KeyOf(assign.lease()), nullptr);
  if (!is_new) return;
  OMNIX_CRASH_POINT("sdk.assigned");
  const LeasePtr lease = place->second = std::make_shared<Lease>();
  lease->id = assign.lease();
  lease->number = ++lease_number_;
  lease->deadline = now + OrDefault(assign.timeout(), kDefaultTaskTimeout);
  Push({Outgoing::Kind::kAccepted, lease, 0, {}});
  if (draining_) {
    HoldCancelled(lease, "the agent is about to stop and takes nothing new");
    return;
  }
  if (leases_.size() > identity_.capacity() + kMaxWaitingLeases) {
    v1::Result result;
    result.set_outcome(v1::OUTCOME_FAILED);
    result.set_error(fmt::format("the agent holds {} leases already and can't queue another", leases_.size() - 1));
    Hold(lease, std::move(result));
    return;
  }
  lease->assign = std::move(assign);
  queued_.push_back(lease);
  StartQueued(now, orders);
}

void LinkState::StartQueued(absl::Duration now, Orders& orders) {
  while (running_ < identity_.capacity() && !queued_.empty()) {
    const LeasePtr lease = std::move(queued_.front());
    queued_.pop_front();
    if (lease->phase != Phase::kQueued || lease->dropped) continue;
    if (now >= lease->deadline) {
      v1::Result result;
      result.set_outcome(v1::OUTCOME_FAILED);
      result.set_error("its time was over before a place was free; raise the agent's capacity or the task's timeout");
      Hold(lease, std::move(result));
      continue;
    }
    lease->phase = Phase::kRunning;
    ++running_;
    orders.start.push_back(std::move(lease->assign));
  }
}

void LinkState::ReceiveRenew(const v1::Renew& renew) {
  while (!heartbeats_.empty() && heartbeats_.front().first <= renew.heartbeat_number()) {
    // A number that was never sent renews nothing.
    if (heartbeats_.front().first == renew.heartbeat_number()) {
      valid_until_ = std::max(valid_until_, heartbeats_.front().second + lease_duration_);
    }
    heartbeats_.pop_front();
  }
}

void LinkState::ReceiveCancel(const v1::Cancel& cancel) {
  const auto found = leases_.find(KeyOf(cancel.lease()));
  if (found == leases_.end()) return;
  const LeasePtr lease = found->second;
  if (lease->phase == Phase::kFinished || lease->cancelled.has_value()) return;
  const std::string reason = cancel.reason().empty() ? "cancelled by the orchestrator" : cancel.reason();
  lease->cancelled = reason;
  if (lease->phase == Phase::kQueued) HoldCancelled(lease, reason);
}

void LinkState::Forget(const v1::LeaseId& id) {
  const auto found = leases_.find(KeyOf(id));
  if (found == leases_.end() || found->second->phase != Phase::kFinished) return;
  found->second->dropped = true;
  leases_.erase(found);
}

void LinkState::Drop(const v1::LeaseId& id) {
  const auto found = leases_.find(KeyOf(id));
  if (found == leases_.end()) return;
  found->second->dropped = true;
  // A running one keeps its place until its handler returns.
  if (found->second->phase != Phase::kRunning) leases_.erase(found);
}

void LinkState::Hold(const LeasePtr& lease, v1::Result result) {
  *result.mutable_lease() = lease->id;
  if (const size_t bytes = result.ByteSizeLong(); bytes > kMaxLinkItemBytes) {
    result.clear_product();
    result.set_outcome(v1::OUTCOME_FAILED_FINALLY);
    result.set_error(fmt::format("the result has {} bytes, at most {} can be sent", bytes, kMaxLinkItemBytes));
  }
  lease->result = std::move(result);
  lease->phase = Phase::kFinished;
  lease->assign.Clear();
  lease->progress.reset();
  Push({Outgoing::Kind::kResult, lease, 0, {}});
}

void LinkState::HoldCancelled(const LeasePtr& lease, const std::string& reason) {
  v1::Result result;
  result.set_outcome(v1::OUTCOME_CANCELLED);
  result.set_error(reason);
  Hold(lease, std::move(result));
}

void LinkState::Push(Outgoing outgoing) {
  // Before Welcome nothing else may be sent; Welcome puts what is held into the outbox.
  if (session_ == Session::kOpen) outbox_.push_back(std::move(outgoing));
}

void LinkState::Answer(v1::Prepared prepared) {
  if (outbox_.size() < kMaxOutgoing) Push({Outgoing::Kind::kPrepared, nullptr, 0, std::move(prepared)});
}

void LinkState::SetProgress(const v1::LeaseId& id, std::string text, uint32_t percent) {
  const auto found = leases_.find(KeyOf(id));
  if (found == leases_.end() || found->second->phase != Phase::kRunning || found->second->dropped) return;
  const LeasePtr& lease = found->second;
  if (!lease->progress.has_value()) {
    lease->progress.emplace();
    *lease->progress->mutable_lease() = id;
    progress_.push_back(lease);
  }
  lease->progress->set_text(std::move(text));
  lease->progress->set_percent(percent);
}

bool LinkState::AddEvidence(const v1::LeaseId& id, v1::Evidence evidence) {
  const auto found = leases_.find(KeyOf(id));
  if (found == leases_.end() || found->second->phase != Phase::kRunning || found->second->dropped) return true;
  const LeasePtr& lease = found->second;
  const size_t bytes = evidence.ByteSizeLong();
  if (bytes > kMaxEvidenceItemBytes || lease->evidence.size() >= kMaxEvidencePerTask ||
      lease->evidence_bytes + bytes > kMaxEvidenceBytesPerTask) {
    return false;
  }
  lease->evidence_bytes += bytes;
  lease->evidence.push_back(std::move(evidence));
  Push({Outgoing::Kind::kEvidence, lease, lease->evidence.size() - 1, {}});
  return true;
}

LinkState::Orders LinkState::Finish(v1::Result result, absl::Duration now) {
  Orders orders;
  const auto found = leases_.find(KeyOf(result.lease()));
  if (found == leases_.end() || found->second->phase != Phase::kRunning) return orders;
  --running_;
  if (found->second->dropped) {
    leases_.erase(found);
  } else {
    Hold(found->second, std::move(result));
  }
  StartQueued(now, orders);
  return orders;
}

absl::Status LinkState::MayAct(const v1::LeaseId& id, absl::Duration now) const {
  const Lease* lease = Find(id);
  if (lease == nullptr || lease->dropped)
    return Aborted("the orchestrator does not know the lease on {} any more", NameOf(id));
  if (lease->cancelled.has_value()) return Cancelled("{}: {}", NameOf(id), *lease->cancelled);
  if (now >= lease->deadline) return DeadlineExceeded("{}: the time for this attempt is over", NameOf(id));
  if (now >= valid_until_) {
    return Aborted("{}: the lease was not renewed for {}; another agent may have it", NameOf(id),
                   omnix::FormatDuration(lease_duration_));
  }
  return absl::OkStatus();
}

absl::Duration LinkState::Remaining(const v1::LeaseId& id, absl::Duration now) const {
  const Lease* lease = Find(id);
  return lease == nullptr ? absl::ZeroDuration() : std::max(absl::ZeroDuration(), lease->deadline - now);
}

void LinkState::Stop(const std::string& reason) {
  stopping_ = true;
  draining_ = true;
  for (const LeasePtr& lease : queued_) {
    if (lease->phase == Phase::kQueued && !lease->dropped) HoldCancelled(lease, reason);
  }
  queued_.clear();
}

void LinkState::CancelAll(const std::string& reason) {
  for (const auto& [key, lease] : leases_) {
    if (lease->phase == Phase::kRunning && !lease->cancelled.has_value()) lease->cancelled = reason;
  }
}

}  // namespace omnix
