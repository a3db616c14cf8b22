#include "agents/sdk/link_state.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "common/time.h"

namespace omnix {
namespace {

constexpr absl::Duration kStart = absl::Seconds(1000);
constexpr absl::Duration kLease = absl::Seconds(3);
constexpr absl::Duration kBeat = absl::Seconds(1);

v1::Hello Identity(uint32_t capacity) {
  v1::Hello hello;
  hello.set_name("testing-agent@here");
  hello.set_capacity(capacity);
  return hello;
}

v1::LeaseId LeaseOf(const std::string& task, uint32_t attempt = 1) {
  v1::LeaseId lease;
  lease.set_incident_id("INC-2025-09-04-001");
  lease.set_task_id(task);
  lease.set_attempt(attempt);
  lease.set_fencing_token(attempt);
  return lease;
}

v1::OrchestratorMessage Welcome(const std::vector<v1::LeaseId>& unknown = {}) {
  v1::OrchestratorMessage message;
  auto* welcome = message.add_items()->mutable_welcome();
  welcome->set_link_version(kLinkVersion);
  *welcome->mutable_heartbeat_interval() = ToProto(kBeat);
  *welcome->mutable_lease_duration() = ToProto(kLease);
  for (const auto& lease : unknown) *welcome->add_unknown() = lease;
  return message;
}

v1::OrchestratorMessage AssignOf(const std::string& task, absl::Duration timeout = absl::Minutes(1)) {
  v1::OrchestratorMessage message;
  auto* assign = message.add_items()->mutable_assign();
  *assign->mutable_lease() = LeaseOf(task);
  *assign->mutable_timeout() = ToProto(timeout);
  return message;
}

v1::OrchestratorMessage Ack(const std::string& task) {
  v1::OrchestratorMessage message;
  *message.add_items()->mutable_result_ack()->mutable_lease() = LeaseOf(task);
  return message;
}

v1::OrchestratorMessage Renew(uint64_t number) {
  v1::OrchestratorMessage message;
  message.add_items()->mutable_renew()->set_heartbeat_number(number);
  return message;
}

v1::Result Done(const std::string& task) {
  v1::Result result;
  *result.mutable_lease() = LeaseOf(task);
  result.set_outcome(v1::OUTCOME_SUCCEEDED);
  return result;
}

// What was sent, one word an item: "hello heartbeat1 accepted:a".
std::string Words(const v1::AgentMessage& message) {
  std::string words;
  for (const auto& item : message.items()) {
    if (!words.empty()) words += " ";
    if (item.has_hello()) {
      words += "hello";
      for (const auto& lease : item.hello().running()) words += "+" + lease.task_id();
    }
    if (item.has_heartbeat()) words += "heartbeat" + std::to_string(item.heartbeat().number());
    if (item.has_accepted()) words += "accepted:" + item.accepted().lease().task_id();
    if (item.has_evidence()) words += "evidence:" + item.evidence().evidence(0).id();
    if (item.has_progress()) words += "progress:" + item.progress().text();
    if (item.has_result()) {
      words +=
          (item.result().outcome() == v1::OUTCOME_SUCCEEDED ? "done:" : "not-done:") + item.result().lease().task_id();
    }
    if (item.has_prepared()) words += "prepared";
  }
  return words;
}

class LinkStateTest : public testing::Test {
 protected:
  void Open(const std::vector<v1::LeaseId>& unknown = {}) {
    state_.Begin(now_);
    sent_hello_ = Words(state_.Next(now_));
    ASSERT_TRUE(state_.Receive(Welcome(unknown), now_).ok());
  }
  size_t Take(v1::OrchestratorMessage message) { return state_.Receive(std::move(message), now_)->start.size(); }
  std::string Next() { return Words(state_.Next(now_)); }

  LinkState state_{Identity(2)};
  absl::Duration now_ = kStart;
  std::string sent_hello_;
};

TEST_F(LinkStateTest, SendsHelloAloneUntilWelcome) {
  state_.Begin(now_);
  EXPECT_EQ(Next(), "hello");
  state_.Answer({});
  EXPECT_EQ(Next(), "");
  EXPECT_FALSE(state_.Receive(AssignOf("a"), now_).ok());
}

TEST_F(LinkStateTest, OneTaskFromAssignToAck) {
  Open();
  EXPECT_EQ(Next(), "heartbeat1");
  EXPECT_EQ(Take(AssignOf("a")), 1);
  EXPECT_EQ(Next(), "accepted:a");
  v1::Evidence evidence;
  evidence.set_id("e1");
  EXPECT_TRUE(state_.AddEvidence(LeaseOf("a"), evidence));
  state_.Finish(Done("a"), now_);
  EXPECT_EQ(Next(), "evidence:e1 done:a");
  EXPECT_FALSE(state_.idle());
  Take(Ack("a"));
  EXPECT_TRUE(state_.idle());
  EXPECT_EQ(Next(), "");
}

TEST_F(LinkStateTest, AssignThatIsKnownIsIgnored) {
  Open();
  EXPECT_EQ(Take(AssignOf("a")), 1);
  EXPECT_EQ(Take(AssignOf("a")), 0);
  EXPECT_EQ(Next(), "heartbeat1 accepted:a");
  state_.Finish(Done("a"), now_);
  EXPECT_EQ(Take(AssignOf("a")), 0);
  EXPECT_EQ(Next(), "done:a");
}

TEST_F(LinkStateTest, BeyondCapacityWaitsForAPlace) {
  Open();
  EXPECT_EQ(Take(AssignOf("a")) + Take(AssignOf("b")) + Take(AssignOf("c")), 2);
  const auto orders = state_.Finish(Done("b"), now_);
  ASSERT_EQ(orders.start.size(), 1);
  EXPECT_EQ(orders.start[0].lease().task_id(), "c");
}

TEST_F(LinkStateTest, QueuedTaskWhoseTimeIsOverNeverStarts) {
  Open();
  Take(AssignOf("a"));
  Take(AssignOf("b"));
  Take(AssignOf("c", absl::Seconds(1)));
  Next();
  now_ += absl::Seconds(2);
  EXPECT_TRUE(state_.Finish(Done("a"), now_).start.empty());
  EXPECT_EQ(Next(), "heartbeat2 done:a not-done:c");
}

TEST_F(LinkStateTest, ReconnectNamesLeasesAndRepeatsWhatWasNotAcknowledged) {
  Open();
  Take(AssignOf("a"));
  Take(AssignOf("b"));
  v1::Evidence evidence;
  evidence.set_id("e1");
  state_.AddEvidence(LeaseOf("a"), evidence);
  state_.Finish(Done("a"), now_);
  Next();
  state_.End();
  EXPECT_EQ(Next(), "");
  Open();
  EXPECT_EQ(sent_hello_, "hello+a+b");
  EXPECT_EQ(Next(), "heartbeat1 evidence:e1 done:a");
  EXPECT_TRUE(state_.MayAct(LeaseOf("b"), now_).ok());
}

TEST_F(LinkStateTest, UnknownLeasesAreDropped) {
  Open();
  Take(AssignOf("a"));
  Take(AssignOf("b"));
  state_.Finish(Done("a"), now_);
  state_.End();
  Open({LeaseOf("a"), LeaseOf("b")});
  EXPECT_EQ(Next(), "heartbeat1");
  EXPECT_EQ(state_.MayAct(LeaseOf("b"), now_).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(state_.running(), 1);
  state_.Finish(Done("b"), now_);
  EXPECT_EQ(Next(), "");
  EXPECT_TRUE(state_.idle());
}

TEST_F(LinkStateTest, LeaseHoldsFromTheSendingOfTheRenewedHeartbeat) {
  Open();
  Take(AssignOf("a"));
  EXPECT_EQ(Next(), "heartbeat1 accepted:a");
  now_ += absl::Seconds(1);
  EXPECT_EQ(Next(), "heartbeat2");
  const absl::Duration second_sent = now_;
  now_ += absl::Seconds(1);
  Take(Renew(2));
  // A number that was never sent renews nothing.
  Take(Renew(99));
  EXPECT_TRUE(state_.MayAct(LeaseOf("a"), second_sent + kLease - absl::Nanoseconds(1)).ok());
  EXPECT_EQ(state_.MayAct(LeaseOf("a"), second_sent + kLease).code(), absl::StatusCode::kAborted);
}

TEST_F(LinkStateTest, MayActRefusesAfterCancelAndAfterTheTime) {
  Open();
  Take(AssignOf("a", absl::Seconds(2)));
  Take(AssignOf("b"));
  EXPECT_EQ(state_.MayAct(LeaseOf("a"), now_ + absl::Seconds(2)).code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(state_.Remaining(LeaseOf("a"), now_ + absl::Seconds(5)), absl::ZeroDuration());
  v1::OrchestratorMessage cancel;
  *cancel.add_items()->mutable_cancel()->mutable_lease() = LeaseOf("b");
  Take(cancel);
  EXPECT_EQ(state_.MayAct(LeaseOf("b"), now_).code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(state_.MayAct(LeaseOf("a", 2), now_).code(), absl::StatusCode::kAborted);
}

TEST_F(LinkStateTest, ProgressIsLimitedAndTheLatestWins) {
  Open();
  Take(AssignOf("a"));
  state_.SetProgress(LeaseOf("a"), "one", 1);
  EXPECT_EQ(Next(), "heartbeat1 accepted:a progress:one");
  state_.SetProgress(LeaseOf("a"), "two", 2);
  state_.SetProgress(LeaseOf("a"), "three", 3);
  EXPECT_EQ(Next(), "");
  EXPECT_EQ(state_.NextWake(), now_ + kProgressInterval);
  now_ += kProgressInterval;
  EXPECT_EQ(Next(), "progress:three");
}

TEST_F(LinkStateTest, ResultIsRepeatedUntilAcknowledged) {
  Open();
  Take(AssignOf("a"));
  state_.Finish(Done("a"), now_);
  EXPECT_EQ(Next(), "heartbeat1 accepted:a done:a");
  now_ += kResultRepeatInterval;
  EXPECT_EQ(Next(), "heartbeat2 done:a");
}

TEST_F(LinkStateTest, DrainGivesBackWhatComesLater) {
  Open();
  Take(AssignOf("a"));
  v1::OrchestratorMessage drain;
  drain.add_items()->mutable_drain();
  Take(drain);
  EXPECT_EQ(Take(AssignOf("b")), 0);
  EXPECT_EQ(Next(), "heartbeat1 accepted:a accepted:b not-done:b");
  state_.End();
  Open();
  EXPECT_EQ(Take(AssignOf("c")), 1);
}

TEST_F(LinkStateTest, EvidenceOfATaskIsBounded) {
  Open();
  Take(AssignOf("a"));
  for (size_t i = 0; i < kMaxEvidencePerTask; ++i) ASSERT_TRUE(state_.AddEvidence(LeaseOf("a"), {}));
  EXPECT_FALSE(state_.AddEvidence(LeaseOf("a"), {}));
}

TEST_F(LinkStateTest, MessagesAreBoundedInItemsAndBytes) {
  Open();
  Take(AssignOf("a"));
  Next();
  v1::Evidence evidence;
  evidence.set_excerpt(std::string(2048, 'x'));
  for (size_t i = 0; i < kMaxEvidencePerTask; ++i) ASSERT_TRUE(state_.AddEvidence(LeaseOf("a"), evidence));
  int messages = 0, items = 0;
  for (v1::AgentMessage message = state_.Next(now_); message.items_size() > 0; message = state_.Next(now_)) {
    EXPECT_LE(message.ByteSizeLong(), kLinkBatchBytes + (64U << 10));
    ++messages;
    items += message.items_size();
  }
  EXPECT_EQ(items, kMaxEvidencePerTask);
  EXPECT_EQ(messages, 2);
}

TEST_F(LinkStateTest, ResultThatNoMessageCanHoldFailsForGood) {
  Open();
  Take(AssignOf("a"));
  v1::Result result = Done("a");
  result.mutable_product()->set_output_json(std::string(kMaxLinkItemBytes, 'x'));
  state_.Finish(std::move(result), now_);
  const v1::AgentMessage message = state_.Next(now_);
  EXPECT_EQ(message.items(message.items_size() - 1).result().outcome(), v1::OUTCOME_FAILED_FINALLY);
}

TEST_F(LinkStateTest, SilenceIsNoticed) {
  state_.Begin(now_);
  EXPECT_FALSE(state_.Silent(now_));
  EXPECT_TRUE(state_.Silent(now_ + kWelcomeTimeout));
  Open();
  EXPECT_FALSE(state_.Silent(now_ + kLease));
  EXPECT_TRUE(state_.Silent(now_ + 2 * kLease));
}

TEST_F(LinkStateTest, OtherLinkVersionAndSecondWelcomeAreErrors) {
  state_.Begin(now_);
  Next();
  v1::OrchestratorMessage other = Welcome();
  other.mutable_items(0)->mutable_welcome()->set_link_version(2);
  EXPECT_EQ(state_.Receive(other, now_).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(state_.Receive(Welcome(), now_).ok());
  EXPECT_EQ(state_.Receive(Welcome(), now_).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace omnix
