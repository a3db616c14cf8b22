// The real omnixd on loopback and peers that break every rule of the agent link: each is sent away with the reason, the
// log and the memory stay small, and an agent in order beside them completes incidents.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "common/agent_link.h"
#include "tests/link/link_world.h"

namespace omnix::testing {
namespace {

using ::testing::HasSubstr;

constexpr size_t kMib = 1 << 20;

class HostileTest : public ::testing::Test {
 protected:
  LinkWorld world_;
};

TEST_F(HostileTest, EachIsSentAwayWithTheReason) {
  v1::AgentMessage two_hellos = HelloMessage("two");
  two_hellos.MergeFrom(HelloMessage("two"));
  v1::AgentMessage version = HelloMessage("version");
  version.mutable_items(0)->mutable_hello()->set_link_version(9);
  v1::AgentMessage empty_name = HelloMessage("");
  v1::AgentMessage twice = HelloMessage("twice");
  twice.mutable_items(0)->mutable_hello()->add_task_types()->set_name("hostile.work");
  v1::AgentMessage schema = HelloMessage("schema");
  schema.mutable_items(0)->mutable_hello()->mutable_task_types(0)->set_input_schema_json("{\"type\":");
  v1::AgentMessage early;
  early.add_items()->mutable_heartbeat()->set_number(1);
  v1::AgentMessage unset = HelloMessage("unset");
  unset.add_items();
  v1::AgentMessage many = HelloMessage("many");
  for (int i = 0; i <= kMaxLinkMessageItems; ++i) many.add_items()->mutable_heartbeat()->set_number(1);
  v1::AgentMessage large = HelloMessage("large");
  large.add_items()->mutable_progress()->set_text(std::string(kMaxLinkMessageBytes, 'x'));

  struct Case {
    v1::AgentMessage message;
    grpc::StatusCode code;
    std::string says;
  };
  const std::vector<Case> cases = {
      {two_hellos, grpc::StatusCode::INVALID_ARGUMENT, "second Hello"},
      {version, grpc::StatusCode::FAILED_PRECONDITION, "use an agent of a matching release"},
      {empty_name, grpc::StatusCode::INVALID_ARGUMENT, "for example recovery-agent@web1"},
      {twice, grpc::StatusCode::INVALID_ARGUMENT, "comes twice"},
      {schema, grpc::StatusCode::INVALID_ARGUMENT, "input schema"},
      {early, grpc::StatusCode::INVALID_ARGUMENT, "must be Hello"},
      {unset, grpc::StatusCode::INVALID_ARGUMENT, "item of a kind"},
      {many, grpc::StatusCode::INVALID_ARGUMENT, "at most 10000"},
      {large, grpc::StatusCode::RESOURCE_EXHAUSTED, "larger than max"},
  };
  for (const auto& c : cases) {
    Peer peer(world_.grpc_address());
    peer.Write(c.message);
    const grpc::Status status = peer.AwaitEnd();
    EXPECT_EQ(status.error_code(), c.code) << status.error_message();
    EXPECT_THAT(status.error_message(), HasSubstr(c.says));
  }
  world_.ExpectIncidentCompletes();
}

// Leases of the agent in order, guessed and used by another.
TEST_F(HostileTest, ForgedResultsOfAnothersLeaseChangeNothing) {
  const std::string incident = world_.HoldNextTask();
  for (const bool as_result : {true, false}) {
    Peer peer(world_.grpc_address());
    v1::AgentMessage message = HelloMessage("forger");
    v1::LeaseId lease = world_.held_lease();
    if (as_result) {
      *message.add_items()->mutable_result()->mutable_lease() = lease;
      message.mutable_items(1)->mutable_result()->set_outcome(v1::OUTCOME_SUCCEEDED);
    } else {
      *message.add_items()->mutable_evidence()->mutable_lease() = lease;
      message.mutable_items(1)->mutable_evidence()->add_evidence()->set_id("forged");
    }
    peer.Write(message);
    const grpc::Status status = peer.AwaitEnd();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
    EXPECT_THAT(status.error_message(), HasSubstr("another agent"));
  }
  world_.ReleaseHeldTask();
  world_.ExpectCompletes(incident);
}

TEST_F(HostileTest, GarbageOnThePortAndInFramesHarmsNobody) {
  const size_t before = world_.ResidentBytes();
  const std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  std::mt19937 random(7);
  for (int i = 0; i < 200; ++i) {
    std::string bytes = i % 2 == 0 ? "" : preface + std::string("\0\0\0\4\0\0\0\0\0", 9);
    for (int n = 0; n < 2000; ++n) bytes.push_back(static_cast<char>(random()));
    Socket socket(world_.grpc_port());
    socket.Send(bytes);
  }
  // A gRPC message whose length prefix says 4 GiB.
  Peer::SendRaw(world_.grpc_address(), std::string("\x0a\xff\xff\xff\xff\x0f", 6));
  EXPECT_LT(world_.ResidentBytes(), before + 64 * kMib);
  world_.ExpectIncidentCompletes();
}

TEST_F(HostileTest, AMillionProgressMessagesLeaveMemoryFlatAndTheLogShort) {
  const std::string incident = world_.HoldNextTask();
  Peer peer(world_.grpc_address());
  peer.Write(HelloMessage("chatty"));
  v1::AgentMessage message;
  v1::LeaseId closed;
  closed.set_incident_id("INC-2001-01-01-001");
  for (int i = 0; i < 1000; ++i) {
    auto* progress = message.add_items()->mutable_progress();
    *progress->mutable_lease() = closed;
    progress->set_text(std::string(100, 'x'));
  }
  const size_t idle = world_.ResidentBytes();
  size_t begun = 0;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(peer.Write(message)) << i;
    // Buffers have their size by then; what is kept of each message would show in the other 800,000.
    if (i == 200) begun = world_.ResidentBytes();
  }
  const size_t ended = world_.ResidentBytes();
  std::printf("1,000,000 progress messages: memory %zu KiB idle, %zu after 200,000, %zu after all\n", idle / 1024,
              begun / 1024, ended / 1024);
  EXPECT_LT(ended, begun + 64 * kMib);
  EXPECT_LT(ended, idle + 192 * kMib);
  EXPECT_LT(world_.OrchestratorLog().size(), 100'000u);
  world_.ReleaseHeldTask();
  world_.ExpectCompletes(incident);
}

TEST_F(HostileTest, AHundredThousandMutatedMessagesHarmNobody) {
  const size_t before = world_.ResidentBytes();
  std::mt19937 random(20250904);
  size_t streams = 0;
  for (size_t sent = 0; sent < 100'000;) {
    Peer peer(world_.grpc_address(), world_.shared_channel());
    ++streams;
    peer.Write(HelloMessage("fuzz"));
    // Until the stream is ended for it; what is written after that is lost.
    for (int i = 0; i < 200 && sent < 100'000; ++i, ++sent) {
      if (!peer.WriteBytes(MutatedMessage(random))) break;
    }
    peer.End();
  }
  std::printf("100,000 mutated messages on %zu streams, memory +%zd KiB\n", streams,
              (static_cast<ssize_t>(world_.ResidentBytes()) - static_cast<ssize_t>(before)) / 1024);
  EXPECT_LT(world_.ResidentBytes(), before + 128 * kMib);
  EXPECT_LT(world_.OrchestratorLog().size(), 1'000'000u);
  world_.ExpectIncidentCompletes();
}

TEST_F(HostileTest, FiveThousandSilentConnectionsLeaveRoomForOthers) {
  const size_t before = world_.ResidentBytes();
  std::vector<std::unique_ptr<Socket>> silent;
  for (int i = 0; i < 5000; ++i) silent.push_back(std::make_unique<Socket>(world_.grpc_port()));
  const absl::Duration slowest = world_.SlowestAlert(50);
  std::printf("5,000 silent connections: slowest alert %s, memory +%zd KiB\n", absl::FormatDuration(slowest).c_str(),
              (static_cast<ssize_t>(world_.ResidentBytes()) - static_cast<ssize_t>(before)) / 1024);
  EXPECT_LT(slowest, absl::Seconds(1));
  EXPECT_LT(world_.ResidentBytes(), before + 192 * kMib);
  world_.ExpectIncidentCompletes();
}

// gRPC 1.51 takes streams faster than it ends those that were reset: until it has, each costs some 15 KiB.
TEST_F(HostileTest, StreamsThatAreOpenedAndResetLeaveRoomForOthers) {
  const size_t before = world_.ResidentBytes();
  constexpr int kResets = 5000;
  std::thread resets([&] {
    for (int i = 0; i < kResets; ++i) Peer(world_.grpc_address(), world_.shared_channel()).End();
  });
  const absl::Duration slowest = world_.SlowestAlert(50);
  resets.join();
  std::printf("5,000 streams opened and reset: slowest alert %s, memory +%zd KiB\n",
              absl::FormatDuration(slowest).c_str(),
              (static_cast<ssize_t>(world_.ResidentBytes()) - static_cast<ssize_t>(before)) / 1024);
  EXPECT_LT(slowest, absl::Seconds(1));
  EXPECT_LT(world_.ResidentBytes(), before + 192 * kMib);
  world_.ExpectIncidentCompletes();
}

}  // namespace
}  // namespace omnix::testing
