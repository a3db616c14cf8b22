// The agent's side of the link as a state machine: which leases it holds, which results nobody has acknowledged, what
// goes into the next message, and whether an effect may still begin. Pure: no threads, no gRPC; time (monotonic) comes
// in as an argument. Not thread-safe.
//
//   state     event                 next      what follows
//   idle      Begin                 greeting  Next gives Hello, with every lease that is worked on or whose result is
//   held greeting  Welcome               open      leases in Welcome.unknown are dropped; evidence and results of the
//   others are sent again greeting  any other item        -         error: the stream is to be ended open      Assign
//   open      begun, or queued where all places are taken; a lease that is known already: ignored open      Renew open
//   the leases hold for lease_duration from the sending of that heartbeat open      ResultAck             open      the
//   result and the evidence of its lease are forgotten open      a second Welcome      -         error any       End
//   idle      the work goes on; nothing is forgotten
#pragma once

#include <omnix/v1/agent_link.pb.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/agent_link.h"

namespace omnix {

// Leases that wait for a place, or whose results wait for their acknowledgement, beside the running ones.
inline constexpr size_t kMaxWaitingLeases = 10'000;
// Progress is sent at most this often; the latest text of each lease wins.
inline constexpr absl::Duration kProgressInterval = absl::Milliseconds(200);
// A result that is not acknowledged by then is sent again on the same stream.
inline constexpr absl::Duration kResultRepeatInterval = absl::Seconds(10);
// An orchestrator that doesn't answer Hello by then is dialled again.
inline constexpr absl::Duration kWelcomeTimeout = absl::Seconds(10);
// Where an Assign says nothing.
inline constexpr absl::Duration kDefaultTaskTimeout = absl::Minutes(2);

class LinkState {
 public:
  // What the runner must do after a call.
  struct Orders {
    // Begin these, each on a place of its own; Finish is owed for each.
    std::vector<v1::Assign> start;
    // Answer each by Answer().
    std::vector<v1::Prepare> prepare;
  };

  // `identity`: Hello without `running`.
  explicit LinkState(v1::Hello identity);

  // A stream was opened; it ended.
  void Begin(absl::Duration now);
  void End();

  // What came. Errors: the orchestrator broke the protocol (FAILED_PRECONDITION: its version is not served here); the
  // stream is to be ended.
  absl::StatusOr<Orders> Receive(v1::OrchestratorMessage message, absl::Duration now);

  // What to send now; no items: nothing. What it gave counts as sent.
  v1::AgentMessage Next(absl::Duration now);
  // When Next may give something by the passing of time alone, or Silent may become true.
  absl::Duration NextWake() const;
  // Nothing came for so long that the stream is to be given up.
  bool Silent(absl::Duration now) const { return session_ != Session::kIdle && now >= silent_at_; }

  void Answer(v1::Prepared prepared);
  void SetProgress(const v1::LeaseId& lease, std::string text, uint32_t percent);
  // Kept until the result is acknowledged, and sent again after a reconnect. False: dropped, the task has reported too
  // much.
  bool AddEvidence(const v1::LeaseId& lease, v1::Evidence evidence);
  // The handler of this lease has returned.
  Orders Finish(v1::Result result, absl::Duration now);

  // OK while a further effect of this lease may begin. Errors: CANCELLED, DEADLINE_EXCEEDED, ABORTED.
  absl::Status MayAct(const v1::LeaseId& lease, absl::Duration now) const;
  // Time left for this lease's attempt, at least zero.
  absl::Duration Remaining(const v1::LeaseId& lease, absl::Duration now) const;

  // Takes nothing new from now on; what waits for a place is given back as cancelled.
  void Stop(const std::string& reason);
  // Cancels what runs.
  void CancelAll(const std::string& reason);

  bool open() const { return session_ == Session::kOpen; }
  bool draining() const { return draining_; }
  // Handlers that have not returned.
  size_t running() const { return running_; }
  // Nothing runs, waits, or has a result that is not acknowledged.
  bool idle() const { return leases_.empty(); }

 private:
  enum class Session { kIdle, kGreeting, kOpen };
  enum class Phase { kQueued, kRunning, kFinished };
  using Key = std::tuple<std::string, std::string, uint32_t, uint64_t>;

  struct Lease {
    v1::LeaseId id;
    // Order in which they were taken.
    uint64_t number = 0;
    Phase phase = Phase::kQueued;
    // Only while queued.
    v1::Assign assign;
    absl::Duration deadline;
    std::optional<std::string> cancelled;
    // The orchestrator does not know it any more: nothing of it is sent.
    bool dropped = false;
    std::optional<v1::Progress> progress;
    std::vector<v1::Evidence> evidence;
    size_t evidence_bytes = 0;
    v1::Result result;
    absl::Duration result_sent;
  };
  using LeasePtr = std::shared_ptr<Lease>;

  // One item that waits for this stream, made when it is sent.
  struct Outgoing {
    enum class Kind { kPrepared, kAccepted, kEvidence, kResult };
    Kind kind;
    LeasePtr lease;
    size_t evidence_index = 0;
    v1::Prepared prepared;
  };

  static Key KeyOf(const v1::LeaseId& id);
  Lease* Find(const v1::LeaseId& id) const;
  std::vector<LeasePtr> InOrder() const;

  absl::Status ReceiveItem(v1::OrchestratorItem& item, absl::Duration now, Orders& orders);
  absl::Status ReceiveWelcome(const v1::Welcome& welcome, absl::Duration now, Orders& orders);
  void ReceiveAssign(v1::Assign assign, absl::Duration now, Orders& orders);
  void ReceiveRenew(const v1::Renew& renew);
  void ReceiveCancel(const v1::Cancel& cancel);
  void Forget(const v1::LeaseId& id);
  void Drop(const v1::LeaseId& id);
  void StartQueued(absl::Duration now, Orders& orders);
  // Holds the result of a lease that did not or does not run any more.
  void Hold(const LeasePtr& lease, v1::Result result);
  void HoldCancelled(const LeasePtr& lease, const std::string& reason);
  void Push(Outgoing outgoing);
  v1::AgentItem Greeting();
  v1::AgentItem HeartbeatItem(absl::Duration now);
  void RepeatResults(absl::Duration now);
  std::optional<v1::AgentItem> Make(const Outgoing& outgoing, absl::Duration now);
  void AddProgress(absl::Duration now, v1::AgentMessage& message);

  const v1::Hello identity_;
  Session session_ = Session::kIdle;
  bool greeted_ = false;
  bool draining_ = false;
  bool stopping_ = false;
  absl::Duration begun_at_;
  absl::Duration silent_at_ = absl::InfiniteDuration();
  absl::Duration heartbeat_interval_;
  absl::Duration lease_duration_;
  absl::Duration heartbeat_due_ = absl::InfiniteDuration();
  uint64_t heartbeat_number_ = 0;
  // Heartbeats that were not renewed yet: number and when they were sent.
  std::deque<std::pair<uint64_t, absl::Duration>> heartbeats_;
  absl::Duration valid_until_ = -absl::InfiniteDuration();

  absl::flat_hash_map<Key, LeasePtr> leases_;
  uint64_t lease_number_ = 0;
  size_t running_ = 0;
  std::deque<LeasePtr> queued_;
  std::deque<Outgoing> outbox_;
  std::vector<LeasePtr> progress_;
  absl::Duration progress_due_ = -absl::InfiniteDuration();
};

}  // namespace omnix
