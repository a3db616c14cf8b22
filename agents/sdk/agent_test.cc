#include "agents/sdk/agent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>

#include <csignal>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "agents/sdk/testing/link_twin.h"
#include "common/status.h"

namespace omnix {
namespace {

v1::LeaseId LeaseOf(const std::string& task) {
  v1::LeaseId lease;
  lease.set_incident_id("INC-2025-09-04-001");
  lease.set_task_id(task);
  lease.set_attempt(1);
  lease.set_fencing_token(1);
  return lease;
}

v1::OrchestratorItem Welcome(absl::Duration lease = absl::Seconds(10), const std::vector<v1::LeaseId>& unknown = {}) {
  v1::OrchestratorItem item;
  item.mutable_welcome()->set_link_version(kLinkVersion);
  *item.mutable_welcome()->mutable_heartbeat_interval() = ToProto(absl::Milliseconds(50));
  *item.mutable_welcome()->mutable_lease_duration() = ToProto(lease);
  for (const auto& id : unknown) *item.mutable_welcome()->add_unknown() = id;
  return item;
}

v1::OrchestratorItem AssignOf(const std::string& task, const std::string& type = "test.echo",
                              const std::string& input = "{}") {
  v1::OrchestratorItem item;
  *item.mutable_assign()->mutable_lease() = LeaseOf(task);
  item.mutable_assign()->set_type(type);
  item.mutable_assign()->set_input_json(input);
  return item;
}

v1::OrchestratorItem Ack(const v1::LeaseId& lease) {
  v1::OrchestratorItem item;
  *item.mutable_result_ack()->mutable_lease() = lease;
  return item;
}

absl::StatusOr<v1::Product> Echo(TaskContext& context) {
  v1::Product product;
  product.set_output_json(DumpJson(context.input()));
  return product;
}

// Waits for an event inside a handler, which has none to wait on.
template <typename Condition>
bool Until(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + LinkTwin::kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

class AgentTest : public testing::Test {
 protected:
  AgentTest() {
    twin_.Start();
    AgentOptions options;
    options.orchestrator = twin_.address();
    options.name = "test-agent@here";
    options.kind = "test";
    options.capacity = 4;
    agent_ = std::make_unique<Agent>(options);
    agent_->Offer("test.echo", Echo);
  }
  ~AgentTest() override {
    if (!thread_.joinable()) return;
    EXPECT_TRUE(Finish().ok());
  }

  void Run() {
    thread_ = std::thread([this] { status_ = agent_->Run(); });
  }
  void Link() {
    Run();
    ASSERT_EQ(twin_.AwaitHello().name(), "test-agent@here");
    twin_.Send({Welcome()});
  }
  absl::Status Finish() {
    agent_->Stop();
    thread_.join();
    return status_;
  }
  void OfferGate() {
    agent_->Offer("test.gate", [this](TaskContext& context) -> absl::StatusOr<v1::Product> {
      begun_.set_value();
      gate_.get_future().wait();
      act_ = context.MayAct();
      return v1::Product();
    });
  }

  LinkTwin twin_;
  std::unique_ptr<Agent> agent_;
  std::thread thread_;
  absl::Status status_;
  std::promise<void> begun_;
  std::promise<void> gate_;
  absl::Status act_;
};

TEST_F(AgentTest, RunsATaskAndStopsOnceItIsAcknowledged) {
  Link();
  twin_.Send({AssignOf("a", "test.echo", R"({"x":1})")});
  const v1::Result result = twin_.AwaitResult();
  EXPECT_EQ(result.outcome(), v1::OUTCOME_SUCCEEDED);
  EXPECT_EQ(result.product().output_json(), R"({"x":1})");
  twin_.Send({Ack(result.lease())});
  EXPECT_TRUE(Finish().ok());
}

TEST_F(AgentTest, OutcomeTellsWhetherAnotherAttemptHelps) {
  agent_->Offer("test.final", [](TaskContext&) { return absl::NotFoundError("no such file"); });
  agent_->Offer("test.again", [](TaskContext&) { return absl::UnavailableError("busy"); });
  agent_->Offer("test.throw", [](TaskContext&) -> absl::StatusOr<v1::Product> { throw std::runtime_error("thrown"); });
  Link();
  const std::vector<std::pair<v1::OrchestratorItem, v1::Outcome>> cases = {
      {AssignOf("a", "test.final"), v1::OUTCOME_FAILED_FINALLY},
      {AssignOf("b", "test.again"), v1::OUTCOME_FAILED},
      {AssignOf("c", "test.throw"), v1::OUTCOME_FAILED},
      {AssignOf("d", "test.unknown"), v1::OUTCOME_FAILED},
      {AssignOf("e", "test.echo", "{"), v1::OUTCOME_FAILED_FINALLY}};
  for (const auto& [assign, outcome] : cases) {
    twin_.Send({assign});
    const v1::Result result = twin_.AwaitResult();
    EXPECT_EQ(result.outcome(), outcome) << result.DebugString();
    EXPECT_FALSE(result.error().empty());
    twin_.Send({Ack(result.lease())});
  }
}

TEST_F(AgentTest, WorkGoesOnWhileTheServerIsAway) {
  OfferGate();
  Link();
  twin_.Send({AssignOf("a", "test.gate")});
  begun_.get_future().wait();
  twin_.Kill();
  gate_.set_value();
  twin_.Start();
  const v1::Hello hello = twin_.AwaitHello();
  ASSERT_EQ(hello.running_size(), 1);
  EXPECT_EQ(hello.running(0).task_id(), "a");
  twin_.Send({Welcome()});
  EXPECT_EQ(twin_.AwaitResult().lease().task_id(), "a");
  // Not acknowledged: it comes again on the next stream.
  twin_.Kill();
  twin_.Start();
  EXPECT_EQ(twin_.AwaitHello().running_size(), 1);
  twin_.Send({Welcome()});
  const v1::Result again = twin_.AwaitResult();
  EXPECT_EQ(again.outcome(), v1::OUTCOME_SUCCEEDED);
  twin_.Send({Ack(again.lease())});
  EXPECT_TRUE(Finish().ok());
}

TEST_F(AgentTest, LeaseThatTheServerDoesNotKnowIsGivenUp) {
  OfferGate();
  Link();
  twin_.Send({AssignOf("a", "test.gate")});
  begun_.get_future().wait();
  twin_.Kill();
  twin_.Start();
  EXPECT_EQ(twin_.AwaitHello().running_size(), 1);
  // The second task is taken after Welcome was.
  twin_.Send({Welcome(absl::Seconds(10), {LeaseOf("a")}), AssignOf("b")});
  const v1::Result result = twin_.AwaitResult();
  EXPECT_EQ(result.lease().task_id(), "b");
  twin_.Send({Ack(result.lease())});
  gate_.set_value();
  EXPECT_TRUE(Finish().ok());
  EXPECT_EQ(act_.code(), absl::StatusCode::kAborted);
}

TEST_F(AgentTest, CancelReachesTheHandler) {
  agent_->Offer("test.long", [](TaskContext& context) -> absl::StatusOr<v1::Product> {
    EXPECT_TRUE(context.MayAct().ok());
    if (!Until([&] { return context.cancelled(); })) return absl::InternalError("never cancelled");
    return context.MayAct();
  });
  Link();
  twin_.Send({AssignOf("a", "test.long")});
  twin_.Await([](const auto& item) { return item.has_accepted(); });
  v1::OrchestratorItem cancel;
  *cancel.mutable_cancel()->mutable_lease() = LeaseOf("a");
  cancel.mutable_cancel()->set_reason("the operator said so");
  twin_.Send({cancel});
  const v1::Result result = twin_.AwaitResult();
  EXPECT_EQ(result.outcome(), v1::OUTCOME_CANCELLED);
  EXPECT_THAT(result.error(), testing::HasSubstr("the operator said so"));
  twin_.Send({Ack(result.lease())});
}

TEST_F(AgentTest, LeaseThatIsNotRenewedForbidsToAct) {
  agent_->Offer("test.long", [](TaskContext& context) -> absl::StatusOr<v1::Product> {
    if (!Until([&] { return context.cancelled(); })) return absl::InternalError("never lost");
    return context.MayAct();
  });
  twin_.renew = false;
  Run();
  twin_.AwaitHello();
  // The silence of a lost lease does not end the stream before twice its time.
  twin_.Send({Welcome(absl::Seconds(1)), AssignOf("a", "test.long")});
  const v1::Result result = twin_.AwaitResult();
  EXPECT_EQ(result.outcome(), v1::OUTCOME_FAILED);
  EXPECT_THAT(result.error(), testing::HasSubstr("not renewed"));
  twin_.Send({Ack(result.lease())});
}

TEST_F(AgentTest, EvidenceAndProgressAreRedactedAndBatched) {
  agent_->Offer("test.look", [](TaskContext& context) -> absl::StatusOr<v1::Product> {
    context.Progress("with Authorization: Bearer abcdefghijklmnop", 50);
    for (int i = 0; i < 500; ++i) {
      v1::Evidence evidence;
      evidence.set_id("e" + std::to_string(i));
      evidence.set_excerpt("password=hunter2secret");
      (*evidence.mutable_attributes())["token"] = "hunter2secret";
      context.Report(evidence);
    }
    return v1::Product();
  });
  Link();
  twin_.Send({AssignOf("a", "test.look")});
  const auto first = twin_.Await([](const auto& item) { return item.has_evidence(); }).evidence().evidence(0);
  EXPECT_EQ(first.id(), "e0");
  EXPECT_TRUE(first.has_observed_at());
  EXPECT_THAT(first.DebugString(), testing::Not(testing::HasSubstr("hunter2secret")));
  const v1::Result result = twin_.AwaitResult();
  twin_.Send({Ack(result.lease())});
  // 500 pieces of evidence that came faster than one message each.
  EXPECT_LT(twin_.messages, 500);
}

TEST_F(AgentTest, RollCallIsAnswered) {
  agent_->OnPrepare([](const v1::Prepare&) { return absl::UnavailableError("nginx is missing"); });
  Link();
  v1::OrchestratorItem prepare;
  prepare.mutable_prepare()->set_incident_id("INC-2025-09-04-001");
  twin_.Send({prepare});
  const v1::Prepared prepared = twin_.Await([](const auto& item) { return item.has_prepared(); }).prepared();
  EXPECT_FALSE(prepared.ready());
  EXPECT_EQ(prepared.reason(), "nginx is missing");
}

TEST_F(AgentTest, StopFinishesWhatRunsAndTakesNothingNew) {
  OfferGate();
  Link();
  twin_.Send({AssignOf("a", "test.gate")});
  begun_.get_future().wait();
  agent_->Stop();
  // Stop takes effect on another thread: assign until one is given back.
  v1::Result refused;
  for (int i = 0; refused.outcome() != v1::OUTCOME_CANCELLED; ++i) {
    twin_.Send({AssignOf("late" + std::to_string(i))});
    refused = twin_.AwaitResult();
    ASSERT_FALSE(refused.lease().task_id().empty());
    twin_.Send({Ack(refused.lease())});
  }
  gate_.set_value();
  const v1::Result result = twin_.AwaitResult();
  EXPECT_EQ(result.outcome(), v1::OUTCOME_SUCCEEDED);
  twin_.Send({Ack(result.lease())});
  EXPECT_TRUE(Finish().ok());
  EXPECT_TRUE(act_.ok()) << act_;
}

TEST_F(AgentTest, RefusalEndsRun) {
  twin_.refuse_with = grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "link version 1 is not served");
  const absl::Status status = agent_->Run();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(status), testing::HasSubstr("link version 1 is not served"));
}

TEST(AgentOptionsTest, BadOnesAreErrorsOfRun) {
  AgentOptions options;
  options.name = "test-agent@here";
  options.kind = "test";
  EXPECT_EQ(Agent(options).Run().code(), absl::StatusCode::kInvalidArgument);
  Agent other(options);
  other.Offer("recovery.apply", Echo);
  EXPECT_EQ(other.Run().code(), absl::StatusCode::kInvalidArgument);
}

TEST(AgentMainTest, RealProcessWorksAndEndsAtSigterm) {
  LinkTwin twin;
  twin.Start();
  std::string address = twin.address();
  std::vector<std::string> arguments = {OMNIX_TEST_AGENT,  "--orchestrator", address, "--name",
                                        "echo-agent@test", "--log-level",    "off"};
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_t pid = 0;
  ASSERT_EQ(posix_spawn(&pid, argv[0], nullptr, nullptr, argv.data(), environ), 0);
  EXPECT_EQ(twin.AwaitHello().task_types(0).name(), "echo.echo");
  twin.Send({Welcome(), AssignOf("a", "echo.echo", "[1]")});
  const v1::Result result = twin.AwaitResult();
  EXPECT_EQ(result.product().output_json(), "[1]");
  twin.Send({Ack(result.lease())});
  const auto begun = std::chrono::steady_clock::now();
  kill(pid, SIGTERM);
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
}

}  // namespace
}  // namespace omnix
