// Silent sources and the dead-man switch, by the real omnixd.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>

#include "common/http_client.h"
#include "common/scripted_server.h"
#include "tests/support/free_port.h"
#include "tests/support/stack.h"
#include "tests/support/world.h"

namespace omnix {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::Spill;
using testing::Stack;
using testing::StackOptions;
using testing::TemporaryFolder;
using testing::WaitUntil;

class Heartbeats : public ::testing::Test {
 protected:
  void Start(std::vector<std::string> arguments) {
    StackOptions options;
    options.system_file = testing::SourceFolder() + "/deploy/examples/system.yaml";
    options.arguments = std::move(arguments);
    stack_ = std::make_unique<Stack>(folder_.path(), options);
    stack_->StartOrchestrator();
  }
  int Post(const std::string& path, const std::string& body = "") {
    HttpRequest request;
    request.method = "POST";
    request.url = fmt::format("http://127.0.0.1:{}{}", stack_->http_port(), path);
    request.headers = {{"Content-Type", "application/json"}};
    request.body = body;
    const auto response = SendHttp(request);
    return response.ok() ? response->status : 0;
  }
  // The only alert has this status.
  bool Becomes(v1::AlertStatus status) {
    return WaitUntil([&] {
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
      alerts_.Clear();
      if (!stack_->api().ListAlerts(&context, {}, &alerts_).ok()) return false;
      return alerts_.alerts_size() == 1 && alerts_.alerts(0).alert().status() == status;
    });
  }

  TemporaryFolder folder_;
  std::unique_ptr<Stack> stack_;
  v1::ListAlertsResponse alerts_;
};

TEST_F(Heartbeats, ASilentSourceIsAnIncidentThatSurvivesARestartAndItsSignEndsTheAlert) {
  Spill(folder_ / "sources.yaml", "sources:\n  - {name: prom, interval: 1s, service: checkout, severity: error}\n");
  Start({"--sources", folder_ / "sources.yaml"});
  ASSERT_TRUE(Becomes(v1::ALERT_STATUS_FIRING)) << stack_->Logs();
  EXPECT_EQ(alerts_.alerts(0).alert().fingerprint(), "heartbeat-prom");
  EXPECT_EQ(alerts_.alerts(0).alert().subject(), "checkout");
  const std::string incident = alerts_.alerts(0).incident_id();
  EXPECT_EQ(stack_->Get(incident).incident().severity(), v1::SEVERITY_ERROR);

  stack_->KillAndRestart("omnixd");
  ASSERT_TRUE(Becomes(v1::ALERT_STATUS_FIRING));
  EXPECT_EQ(Post("/v1/heartbeats/prom"), 200);
  ASSERT_TRUE(Becomes(v1::ALERT_STATUS_RESOLVED)) << stack_->Logs();
  EXPECT_EQ(alerts_.alerts(0).incident_id(), incident);
  EXPECT_EQ(Post("/v1/heartbeats/nobody"), 404);
}

TEST_F(Heartbeats, TheDeadManUrlIsCalledOnlyWhileTheProofHolds) {
  std::atomic<int> calls = 0;
  ScriptedServer server([&calls](const std::string&) {
    ++calls;
    return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  });
  Start({"--deadman-url", server.Url("/ping"), "--deadman-interval", "20ms"});
  ASSERT_TRUE(WaitUntil([&] { return calls >= 2; })) << stack_->Logs();

  // Nothing can be put there any more.
  const std::string probe = folder_ / "data/deadman.probe";
  ASSERT_EQ(unlink(probe.c_str()), 0);
  // A proof that is under way may make the file once more.
  ASSERT_TRUE(WaitUntil([&] {
    unlink(probe.c_str());
    return mkdir(probe.c_str(), 0700) == 0;
  }));
  ASSERT_TRUE(WaitUntil([&] { return stack_->Logs().find("the dead-man URL is not called") != std::string::npos; }));
  const int before = calls;
  // Ten intervals without a call.
  EXPECT_FALSE(WaitUntil([&] { return calls != before; }, absl::Milliseconds(200)));

  ASSERT_EQ(rmdir(probe.c_str()), 0);
  ASSERT_TRUE(WaitUntil([&] { return calls > before; })) << stack_->Logs();
}

TEST_F(Heartbeats, ADeadManUrlThatDoesNotAnswerIsLoggedWithoutItsPath) {
  Start({"--deadman-url", fmt::format("http://127.0.0.1:{}/ping/s3cretPath?q=s3cretQuery", FreePort())});
  ASSERT_TRUE(WaitUntil([&] { return stack_->Logs().find("--deadman-url: ") != std::string::npos; }));
  EXPECT_THAT(stack_->Logs(), HasSubstr("connection refused"));
  EXPECT_THAT(stack_->Logs(), Not(HasSubstr("s3cret")));
}

}  // namespace
}  // namespace omnix
