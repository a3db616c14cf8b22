// Silence is a signal: an omnixd that hangs (its connections stay open) is noticed by agents and by a person's watch.
// (An agent that hangs: the plot kSilentAgent of the crash matrix.)
#include <grpcpp/channel.h>
#include <gtest/gtest.h>
#include <omnix/v1/operator.grpc.pb.h>
#include <signal.h>

#include "tests/crash/link_witness.h"
#include "tests/crash/world.h"
#include "tests/support/stack.h"

namespace omnix::testing {
namespace {

// The SDK gives a stream up after two leases of silence (2 s each here); the command line asks after 10 s without a
// sign of life, and waits 5 s for the answer. The rest is for a busy machine.
constexpr absl::Duration kAgentNotices = absl::Seconds(10);
constexpr absl::Duration kWatchNotices = absl::Seconds(25);

TEST(Silence, AHangingOmnixdIsNoticedAndComesBack) {
  CrashWorld world;
  world.Start(kOmnixd, {});
  std::unique_ptr<v1::Operator::Stub> api;
  ASSERT_TRUE(WaitUntil([&] {
    api = v1::Operator::NewStub(NewChannel(world.grpc_address()));
    grpc::ClientContext context;
    v1::GetStatusResponse response;
    return api->GetStatus(&context, {}, &response).ok();
  })) << world.Logs();
  grpc::ClientContext context;
  v1::OpenIncidentRequest request;
  request.set_title("plain fails");
  request.set_subject("plain");
  v1::OpenIncidentResponse opened;
  ASSERT_TRUE(api->OpenIncident(&context, request, &opened).ok());

  TemporaryFolder folder;
  world.Start(kScript, {});
  Program watch(
      {BinFolder() + "/omnix", "--orchestrator", world.grpc_address(), "incident", "watch", opened.incident_id()},
      folder / "watch");
  const auto watch_says = [&](const std::string& text) {
    return Slurp(folder / "watch").find(text) != std::string::npos;
  };
  ASSERT_TRUE(WaitUntil([&] {
    return world.Logs().find("linked to") != std::string::npos && watch_says("plain fails");
  })) << Slurp(folder / "watch")
      << world.Logs();

  world.program(kOmnixd).Signal(SIGSTOP);
  EXPECT_TRUE(WaitUntil([&] { return world.Logs().find("lost: ") != std::string::npos; }, kAgentNotices))
      << world.Logs();
  EXPECT_TRUE(WaitUntil([&] { return watch_says("connection lost"); }, kWatchNotices)) << Slurp(folder / "watch");

  world.program(kOmnixd).Signal(SIGCONT);
  EXPECT_TRUE(WaitUntil([&] {
    const std::string logs = world.Logs();
    return logs.rfind("linked to") != std::string::npos && logs.rfind("linked to") > logs.rfind("lost: ");
  })) << world.Logs();
  v1::ListAgentsResponse agents;
  EXPECT_TRUE(WaitUntil([&] {
    grpc::ClientContext again;
    return api->ListAgents(&again, {}, &agents).ok() && agents.agents_size() == 1 && agents.agents(0).connected();
  }));
  watch.Kill();
  world.Stop();
}

}  // namespace
}  // namespace omnix::testing
