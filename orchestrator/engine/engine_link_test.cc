// Agents that break the rules, and what others notice of them: nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/agent_link.h"
#include "orchestrator/engine/engine_world.h"

namespace omnix::testing {
namespace {

using ::testing::HasSubstr;

std::optional<v1::Product> Nothing(const v1::Assign&) { return std::nullopt; }

// One agent works on the investigation and does not end it; another is the peer that misbehaves.
class EngineLinkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    worker_ = world_.Connect("worker", Nothing);
    incident_ = world_.Alert("a").incident_id;
    ASSERT_EQ(worker_->assigned.size(), 1u);
    lease_ = worker_->assigned[0].lease();
    peer_ = world_.Connect("peer", Nothing, {}, {"test.other"});
  }
  void Send(const std::shared_ptr<ScriptedAgent>& agent, v1::AgentItem item) {
    world_.engine().AgentItems(agent, {std::move(item)});
    world_.Pump();
  }
  v1::AgentItem ResultOf(v1::LeaseId lease) {
    v1::AgentItem item;
    *item.mutable_result()->mutable_lease() = std::move(lease);
    item.mutable_result()->set_outcome(v1::OUTCOME_SUCCEEDED);
    *item.mutable_result()->mutable_product() = DiagnosisOf({"forged"});
    return item;
  }
  v1::AgentItem EvidenceOf(int count, size_t bytes, int first = 0) {
    v1::AgentItem item;
    *item.mutable_evidence()->mutable_lease() = lease_;
    for (int i = first; i < first + count; ++i) {
      auto* evidence = item.mutable_evidence()->add_evidence();
      evidence->set_id("e" + std::to_string(i));
      evidence->set_excerpt(std::string(bytes, 'x'));
    }
    return item;
  }
  // The worker was not disturbed: it ends its task and the incident goes on.
  void ExpectWorkerGoesOn() {
    EXPECT_TRUE(worker_->closed_.ok()) << worker_->closed_;
    worker_->script_ = DoEverythingWell;
    worker_->Answer(lease_, *DoEverythingWell(worker_->assigned[0]));
    world_.Pump();
    EXPECT_EQ(world_.Recorded(incident_).phase(), v1::PHASE_RESOLVED);
  }

  EngineWorld world_;
  std::shared_ptr<ScriptedAgent> worker_;
  std::shared_ptr<ScriptedAgent> peer_;
  std::string incident_;
  v1::LeaseId lease_;
};

TEST_F(EngineLinkTest, ResultForAnothersLeaseEndsTheStreamAndChangesNothing) {
  Send(peer_, ResultOf(lease_));
  EXPECT_EQ(peer_->closed_.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(peer_->closed_.message()), HasSubstr("another agent"));
  EXPECT_TRUE(peer_->acknowledged.empty());
  EXPECT_FALSE(world_.Recorded(incident_).has_diagnosis());
}

TEST_F(EngineLinkTest, EvidenceProgressAndAcceptedOfAnothersLeaseEndTheStream) {
  v1::AgentItem accepted;
  *accepted.mutable_accepted()->mutable_lease() = lease_;
  v1::AgentItem progress;
  *progress.mutable_progress()->mutable_lease() = lease_;
  for (const auto& item : {EvidenceOf(1, 10), accepted, progress}) {
    const auto peer = world_.Connect("peer", Nothing, {}, {"test.other"});
    Send(peer, item);
    EXPECT_EQ(peer->closed_.code(), absl::StatusCode::kPermissionDenied) << item.ShortDebugString();
  }
  EXPECT_TRUE(world_.Recorded(incident_).evidence().empty());
}

TEST_F(EngineLinkTest, LeaseThatWasNeverGivenEndsTheStream) {
  v1::LeaseId later = lease_, other = lease_, token = lease_, unset = lease_;
  later.set_attempt(9);
  other.set_task_id("investigating-1/no-such");
  token.set_fencing_token(99);
  unset.set_attempt(0);
  for (const auto& lease : {later, other, token, unset}) {
    const auto peer = world_.Connect("peer", Nothing, {}, {"test.other"});
    Send(peer, ResultOf(lease));
    EXPECT_EQ(peer->closed_.code(), absl::StatusCode::kInvalidArgument) << lease.ShortDebugString();
  }
}

TEST_F(EngineLinkTest, ResultsOfIncidentsThatAreNotOpenAreAcknowledgedAndForgotten) {
  v1::LeaseId gone = lease_;
  gone.set_incident_id("INC-2001-01-01-001");
  for (int i = 0; i < 100; ++i) Send(peer_, ResultOf(gone));
  EXPECT_TRUE(peer_->closed_.ok());
  EXPECT_EQ(peer_->acknowledged.size(), 100u);
}

TEST_F(EngineLinkTest, LateResultIsKeptOnceHoweverOftenItComes) {
  world_.Connect("spare", Nothing);
  // The worker's time is up: a second attempt goes to somebody, and the first is outranked.
  for (int i = 0; i < 60 && world_.Recorded(incident_).tasks(0).attempt() < 2; ++i) world_.Advance(absl::Seconds(5));
  ASSERT_EQ(world_.Recorded(incident_).tasks(0).attempt(), 2u);
  for (int i = 0; i < 50; ++i) Send(worker_, ResultOf(lease_));
  EXPECT_TRUE(worker_->closed_.ok()) << worker_->closed_;
  const auto events = world_.journal().ReadEvents(incident_, 0, SIZE_MAX);
  const auto late =
      std::count_if(events->begin(), events->end(), [](const auto& e) { return e.event().has_late_result(); });
  EXPECT_EQ(late, 1);
}

TEST_F(EngineLinkTest, HugeEvidenceEndsTheStreamAndTooMuchIsDropped) {
  Send(worker_, EvidenceOf(600, 10));
  Send(worker_, EvidenceOf(600, 10));       // sent again, as after a reconnect
  Send(worker_, EvidenceOf(600, 10, 600));  // 200 too many
  EXPECT_TRUE(worker_->closed_.ok());
  size_t kept = 0;
  const auto events = world_.journal().ReadEvents(incident_, 0, SIZE_MAX);
  for (const auto& e : *events) kept += static_cast<size_t>(e.event().evidence_recorded().evidence_size());
  EXPECT_EQ(kept, kMaxEvidencePerTask);
  Send(worker_, EvidenceOf(1, kMaxEvidenceItemBytes + 1, 5000));
  EXPECT_EQ(worker_->closed_.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(worker_->closed_.message()), HasSubstr("send an excerpt"));
}

TEST_F(EngineLinkTest, MillionsOfProgressMessagesAreOneUpdateATransaction) {
  std::vector<v1::AgentItem> items(10'000);
  for (size_t i = 0; i < items.size(); ++i) {
    *items[i].mutable_progress()->mutable_lease() = lease_;
    items[i].mutable_progress()->set_text("line " + std::to_string(i) + "\x1b[2J\n" + std::string(10'000, 'x'));
  }
  for (int i = 0; i < 10; ++i) world_.engine().AgentItems(worker_, items);
  const Transaction transaction = world_.engine().TakeTransaction();
  ASSERT_EQ(transaction.progress.size(), 1u);
  const std::string& text = transaction.progress[0].progress().text();
  EXPECT_THAT(text, HasSubstr("line 9999"));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_LT(text.size(), 400u);
}

TEST_F(EngineLinkTest, HeartbeatsOfATransactionAreRenewedOnce) {
  std::vector<v1::AgentItem> items(10'000);
  for (size_t i = 0; i < items.size(); ++i) items[i].mutable_heartbeat()->set_number(i + 1);
  world_.engine().AgentItems(worker_, items);
  const Transaction transaction = world_.engine().TakeTransaction();
  ASSERT_EQ(transaction.sends.size(), 1u);
  ASSERT_EQ(transaction.sends[0].second.size(), 1u);
  EXPECT_EQ(transaction.sends[0].second[0].renew().heartbeat_number(), 10'000u);
}

TEST_F(EngineLinkTest, DrainHoldsOverAReconnectAndEndsWithARestart) {
  v1::DrainAgentRequest request;
  request.set_name("worker");
  world_.engine().DrainAgent(request, [](const auto& done) { EXPECT_TRUE(done.ok()); });
  world_.Pump();
  EXPECT_EQ(worker_->drained, 1);
  world_.Disconnect(worker_);
  const auto again = world_.Connect("worker", Nothing, {lease_});
  EXPECT_EQ(again->drained, 1);
  const auto second = world_.Alert("b", v1::ALERT_STATUS_FIRING).incident_id;
  EXPECT_TRUE(again->assigned.empty()) << second;
  world_.Disconnect(again);
  auto restarted = std::make_shared<ScriptedAgent>("worker", kAllTaskTypes, Nothing);
  restarted->hello_.set_instance_id("another-instance");
  world_.engine().AgentConnected(restarted, restarted->hello_);
  world_.Pump();
  EXPECT_EQ(restarted->drained, 0);
  EXPECT_FALSE(restarted->assigned.empty());
}

TEST_F(EngineLinkTest, InputThatNoMessageCanHoldEscalatesVisibly) {
  v1::Playbook& playbook = world_.configuration().playbooks[0];
  playbook.mutable_investigating(0)->set_input("{text: (\"x\" * 17000000)}");
  world_.Restart();
  world_.Connect("worker", DoEverythingWell);
  const auto id = world_.Alert("large").incident_id;
  const v1::Incident incident = world_.Recorded(id);
  EXPECT_EQ(incident.phase(), v1::PHASE_ESCALATED);
  EXPECT_THAT(incident.ended_reason(), HasSubstr("at most"));
}

TEST_F(EngineLinkTest, AgentsThatCameAndWentAreForgotten) {
  for (int i = 0; i < 1500; ++i) {
    world_.Disconnect(world_.Connect("guest" + std::to_string(i), Nothing, {}, {"test.other"}));
  }
  size_t known = 0;
  world_.engine().ListAgents([&](const auto& listed) { known = static_cast<size_t>(listed->agents_size()); });
  EXPECT_LE(known, 1002u);
  EXPECT_GE(known, 1000u);
}

TEST_F(EngineLinkTest, TheWorkerGoesOnBesideAllThis) {
  Send(peer_, ResultOf(lease_));
  ExpectWorkerGoesOn();
}

}  // namespace
}  // namespace omnix::testing
