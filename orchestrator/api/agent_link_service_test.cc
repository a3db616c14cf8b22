#include "orchestrator/api/agent_link_service.h"

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/status.h"
#include "orchestrator/api/grpc_server.h"

namespace omnix {
namespace {

constexpr auto kPatience = std::chrono::seconds(20);

// The engine's twin: keeps what it is told.
class PortTwin final : public AgentPort {
 public:
  void AgentConnected(std::shared_ptr<AgentSession> session, v1::Hello hello) override {
    const std::lock_guard lock(mutex_);
    sessions_[hello.name()] = std::move(session);
    news_.notify_all();
  }
  void AgentItems(const std::shared_ptr<AgentSession>&, std::vector<v1::AgentItem> items) override {
    const std::lock_guard lock(mutex_);
    items_ += items.size();
    news_.notify_all();
  }
  void AgentDisconnected(const std::shared_ptr<AgentSession>& session, const std::string& reason) override {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, known] : sessions_) {
      if (known == session) ended_[name].push_back(reason);
    }
    news_.notify_all();
  }

  std::shared_ptr<AgentSession> AwaitSession(const std::string& name) {
    std::unique_lock lock(mutex_);
    news_.wait_for(lock, kPatience, [&] { return sessions_.count(name) > 0; });
    return sessions_[name];
  }
  bool AwaitItems(size_t count) {
    std::unique_lock lock(mutex_);
    return news_.wait_for(lock, kPatience, [&] { return items_ >= count; });
  }
  std::string AwaitEnd(const std::string& name) {
    std::unique_lock lock(mutex_);
    news_.wait_for(lock, kPatience, [&] { return !ended_[name].empty(); });
    return ended_[name].size() == 1 ? ended_[name][0] : "ended " + std::to_string(ended_[name].size()) + " times";
  }
  size_t connected() {
    const std::lock_guard lock(mutex_);
    return sessions_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable news_;
  std::map<std::string, std::shared_ptr<AgentSession>> sessions_;
  std::map<std::string, std::vector<std::string>> ended_;
  size_t items_ = 0;
};

// A client that can also misbehave.
class RawAgent {
 public:
  explicit RawAgent(const std::string& address) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetMaxReceiveMessageSize(-1);
    stub_ = v1::AgentLink::NewStub(grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
    context_.set_deadline(std::chrono::system_clock::now() + kPatience);
    stream_ = stub_->Connect(&context_);
  }
  ~RawAgent() {
    if (stream_ != nullptr) End();
  }
  bool Write(const v1::AgentMessage& message) { return stream_->Write(message); }
  bool Hello(const std::string& name) { return Write(HelloOf(name)); }
  // Until the stream ends.
  grpc::Status End() {
    context_.TryCancel();
    return AwaitEnd();
  }
  grpc::Status AwaitEnd() {
    v1::OrchestratorMessage message;
    while (stream_->Read(&message)) {
      ++messages;
      items += message.items_size();
    }
    const grpc::Status status = stream_->Finish();
    stream_.reset();
    return status;
  }
  grpc::Status WritesDone() {
    stream_->WritesDone();
    return AwaitEnd();
  }
  static v1::AgentMessage HelloOf(const std::string& name) {
    v1::AgentMessage message;
    v1::Hello* hello = message.add_items()->mutable_hello();
    hello->set_link_version(kLinkVersion);
    hello->set_name(name);
    hello->set_instance_id("0123456789abcdef");
    hello->set_kind("test");
    hello->add_task_types()->set_name("test.echo");
    hello->set_capacity(1);
    return message;
  }

  int messages = 0;
  int items = 0;

 private:
  std::unique_ptr<v1::AgentLink::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::AgentMessage, v1::OrchestratorMessage>> stream_;
};

v1::AgentMessage Heartbeats(int count) {
  v1::AgentMessage message;
  for (int i = 1; i <= count; ++i) message.add_items()->mutable_heartbeat()->set_number(static_cast<uint64_t>(i));
  return message;
}

std::vector<v1::OrchestratorItem> Assigns(int count, size_t bytes) {
  std::vector<v1::OrchestratorItem> items(static_cast<size_t>(count));
  for (auto& item : items) item.mutable_assign()->set_input_json(std::string(bytes, 'x'));
  return items;
}

class AgentLinkServiceTest : public testing::Test {
 protected:
  void Start(const AgentLinkOptions& options = {}) {
    service_ = std::make_unique<AgentLinkService>(&port_, options);
    GrpcServerOptions server_options;
    server_options.listen = "127.0.0.1:0";
    server_options.services = {service_.get()};
    auto server = GrpcServer::Start(server_options);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  // A well-behaved agent beside the others: it must not notice anything.
  void StartWithNeighbour(const AgentLinkOptions& options = {}) {
    Start(options);
    neighbour_ = std::make_unique<RawAgent>(server_->address());
    neighbour_->Hello("neighbour");
    port_.AwaitSession("neighbour");
  }
  void ExpectNeighbourWell() {
    EXPECT_TRUE(neighbour_->Write(Heartbeats(1)));
    EXPECT_TRUE(port_.AwaitItems(1));
    port_.AwaitSession("neighbour")->Close(absl::OkStatus());
    EXPECT_TRUE(neighbour_->AwaitEnd().ok());
  }

  PortTwin port_;
  std::unique_ptr<AgentLinkService> service_;
  std::unique_ptr<GrpcServer> server_;
  std::unique_ptr<RawAgent> neighbour_;
};

TEST_F(AgentLinkServiceTest, PassesItemsBothWaysInBatches) {
  Start();
  RawAgent agent(server_->address());
  v1::AgentMessage first = RawAgent::HelloOf("a");
  first.MergeFrom(Heartbeats(3));
  ASSERT_TRUE(agent.Write(first));
  EXPECT_TRUE(port_.AwaitItems(3));
  const auto session = port_.AwaitSession("a");
  session->Send(Assigns(2500, 10));
  session->Close(absl::OkStatus());
  session->Send(Assigns(1, 10));
  EXPECT_TRUE(agent.AwaitEnd().ok());
  EXPECT_EQ(agent.items, 2500);
  EXPECT_EQ(agent.messages, 3);
  port_.AwaitEnd("a");
  // The session outlives its stream.
  session->Send(Assigns(1, 10));
  session->Close(absl::InternalError("late"));
}

TEST_F(AgentLinkServiceTest, AgentThatEndsTheStreamIsToldOk) {
  Start();
  RawAgent agent(server_->address());
  agent.Hello("a");
  EXPECT_TRUE(agent.WritesDone().ok());
  EXPECT_EQ(port_.AwaitEnd("a"), "the agent ended the stream");
}

TEST_F(AgentLinkServiceTest, AgentThatVanishesIsDisconnected) {
  Start();
  RawAgent agent(server_->address());
  agent.Hello("a");
  port_.AwaitSession("a");
  EXPECT_EQ(agent.End().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_THAT(port_.AwaitEnd("a"), testing::HasSubstr("lost"));
}

TEST_F(AgentLinkServiceTest, WrongOrderEndsTheStream) {
  StartWithNeighbour();
  RawAgent no_hello(server_->address());
  no_hello.Write(Heartbeats(1));
  const grpc::Status status = no_hello.AwaitEnd();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), testing::HasSubstr("must be Hello"));

  RawAgent two(server_->address());
  two.Hello("two");
  two.Hello("two");
  EXPECT_THAT(two.AwaitEnd().error_message(), testing::HasSubstr("second Hello"));
  EXPECT_THAT(port_.AwaitEnd("two"), testing::HasSubstr("second Hello"));

  RawAgent unset(server_->address());
  unset.Hello("unset");
  v1::AgentMessage empty;
  empty.add_items();
  unset.Write(empty);
  EXPECT_EQ(unset.AwaitEnd().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  ExpectNeighbourWell();
}

TEST_F(AgentLinkServiceTest, BadHelloIsRefusedWithTheReason) {
  Start();
  RawAgent agent(server_->address());
  v1::AgentMessage hello = RawAgent::HelloOf("a");
  hello.mutable_items(0)->mutable_hello()->set_link_version(7);
  agent.Write(hello);
  const grpc::Status status = agent.AwaitEnd();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), testing::HasSubstr("link_version 7"));
  EXPECT_EQ(port_.connected(), 0);
}

TEST_F(AgentLinkServiceTest, GarbageEndsTheStream) {
  StartWithNeighbour();
  grpc::GenericStub stub(grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareCall(&context, "/omnix.v1.AgentLink/Connect", &queue);
  void* tag = nullptr;
  bool ok = false;
  call->StartCall(&context);
  ASSERT_TRUE(queue.Next(&tag, &ok));
  grpc::Slice slice("\xff\xff\xff\xff garbage");
  const grpc::ByteBuffer garbage(&slice, 1);
  call->Write(garbage, &context);
  ASSERT_TRUE(queue.Next(&tag, &ok));
  grpc::Status status;
  call->Finish(&status, &context);
  ASSERT_TRUE(queue.Next(&tag, &ok));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), testing::HasSubstr("no AgentMessage"));
  ExpectNeighbourWell();
}

TEST_F(AgentLinkServiceTest, TooLargeMessageEndsTheStream) {
  StartWithNeighbour();
  RawAgent agent(server_->address());
  agent.Hello("a");
  port_.AwaitSession("a");
  v1::AgentMessage large;
  large.add_items()->mutable_progress()->set_text(std::string(kMaxLinkMessageBytes + 1, 'x'));
  agent.Write(large);
  EXPECT_EQ(agent.AwaitEnd().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  // gRPC 1.51 may show the orchestrator's side a lost connection instead of the reason; the agent always sees it.
  EXPECT_FALSE(port_.AwaitEnd("a").empty());

  RawAgent many(server_->address());
  many.Hello("many");
  many.Write(Heartbeats(kMaxLinkMessageItems + 1));
  EXPECT_EQ(many.AwaitEnd().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  ExpectNeighbourWell();
}

TEST_F(AgentLinkServiceTest, ReaderThatDoesNotReadIsCutOff) {
  AgentLinkOptions options;
  options.max_queued_bytes = 4 << 20;
  StartWithNeighbour(options);
  RawAgent agent(server_->address());
  agent.Hello("slow");
  const auto session = port_.AwaitSession("slow");
  for (int i = 0; i < 64; ++i) session->Send(Assigns(1, 1 << 20));
  EXPECT_THAT(port_.AwaitEnd("slow"), testing::HasSubstr("does not read"));
  EXPECT_EQ(agent.AwaitEnd().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  ExpectNeighbourWell();
}

TEST_F(AgentLinkServiceTest, CloseDoesNotWaitForEverForAReader) {
  AgentLinkOptions options;
  options.flush_timeout = absl::Milliseconds(100);
  Start(options);
  RawAgent agent(server_->address());
  agent.Hello("slow");
  const auto session = port_.AwaitSession("slow");
  session->Send(Assigns(32, 1 << 20));
  session->Close(absl::AbortedError("replaced by a newer instance"));
  EXPECT_THAT(port_.AwaitEnd("slow"), testing::HasSubstr("replaced by a newer instance"));
  EXPECT_EQ(agent.AwaitEnd().error_code(), grpc::StatusCode::ABORTED);
}

TEST_F(AgentLinkServiceTest, StreamWithoutHelloEnds) {
  AgentLinkOptions options;
  options.hello_timeout = absl::Milliseconds(50);
  Start(options);
  RawAgent agent(server_->address());
  EXPECT_EQ(agent.AwaitEnd().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST_F(AgentLinkServiceTest, FurtherStreamsAreRefused) {
  AgentLinkOptions options;
  options.max_streams = 1;
  StartWithNeighbour(options);
  RawAgent agent(server_->address());
  EXPECT_EQ(agent.AwaitEnd().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  ExpectNeighbourWell();
}

TEST_F(AgentLinkServiceTest, FloodIsReadAtItsPaceAndWhole) {
  AgentLinkOptions options;
  options.max_items_per_second = 1000;
  Start(options);
  RawAgent agent(server_->address());
  agent.Hello("a");
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(agent.Write(Heartbeats(1001)));
  EXPECT_TRUE(port_.AwaitItems(3003));
  EXPECT_GT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(1));
}

TEST_F(AgentLinkServiceTest, ShutdownEndsEveryStream) {
  StartWithNeighbour();
  service_->Shutdown(absl::UnavailableError("omnixd stops"));
  EXPECT_EQ(neighbour_->AwaitEnd().error_code(), grpc::StatusCode::UNAVAILABLE);
  RawAgent late(server_->address());
  EXPECT_EQ(late.AwaitEnd().error_code(), grpc::StatusCode::UNAVAILABLE);
  server_->Shutdown(absl::Seconds(5));
}

TEST_F(AgentLinkServiceTest, ManyAgentsComeAndGoWhileTheyAreSentTo) {
  Start();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < 20; ++i) {
        const std::string name = "agent" + std::to_string(t) + "." + std::to_string(i);
        RawAgent agent(server_->address());
        agent.Hello(name);
        const auto session = port_.AwaitSession(name);
        std::thread sender([session] {
          for (int n = 0; n < 50; ++n) session->Send(Assigns(1, 100));
        });
        agent.Write(Heartbeats(5));
        agent.End();
        sender.join();
        EXPECT_NE(port_.AwaitEnd(name), "");
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace omnix
