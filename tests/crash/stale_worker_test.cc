// An agent stands still in the middle of a repair for longer than its lease; another takes over; then the first goes
// on.
#include <grpcpp/channel.h>
#include <gtest/gtest.h>
#include <omnix/v1/operator.grpc.pb.h>
#include <signal.h>

#include <algorithm>
#include <chrono>

#include "tests/crash/link_witness.h"
#include "tests/crash/world.h"
#include "tests/support/stack.h"

namespace omnix::testing {
namespace {

bool IsStopped(pid_t pid) {
  return Slurp("/proc/" + std::to_string(pid) + "/status").find("State:\tT") != std::string::npos;
}

class StaleWorker : public ::testing::Test {
 protected:
  StaleWorker() : api_(v1::Operator::NewStub(NewChannel(world_.grpc_address()))) {}

  void SetUp() override {
    world_.Start(kOmnixd, {});
    ASSERT_TRUE(WaitUntil([&] {
      api_ = v1::Operator::NewStub(NewChannel(world_.grpc_address()));
      grpc::ClientContext context;
      v1::GetStatusResponse response;
      return api_->GetStatus(&context, {}, &response).ok();
    })) << world_.Logs();
    world_.Start(kScript, {});
    witness_ = std::make_unique<LinkWitness>(world_.grpc_address());
  }

  void TearDown() override {
    for (const char* name : {"stale", "fresh"}) world_.program(name).Signal(SIGCONT);
    witness_.reset();
    world_.Stop();
  }

  // The incident whose repair the agent "stale" began, and stands still in.
  void StandStillAt(const std::string& point, const std::string& service) {
    world_.Start(kRecovery, {{"OMNIX_STOP_AT", point}}, "stale", "host-a");
    grpc::ClientContext context;
    v1::OpenIncidentRequest request;
    request.set_title(service + " fails");
    request.set_subject(service);
    request.set_severity(v1::SEVERITY_ERROR);
    v1::OpenIncidentResponse response;
    const grpc::Status opened = api_->OpenIncident(&context, request, &response);
    ASSERT_TRUE(opened.ok()) << opened.error_message();
    incident_ = response.incident_id();
    ASSERT_TRUE(WaitUntil([&] {
      ApproveWhatIsAsked();
      return IsStopped(world_.program("stale").pid());
    })) << world_.Logs();
  }

  void ApproveWhatIsAsked() {
    const v1::Incident incident = Get();
    if (incident.recoveries().empty()) return;
    const auto& approval = incident.recoveries(0).approval();
    if (approval.state() != v1::APPROVAL_STATE_REQUESTED) return;
    grpc::ClientContext context;
    v1::CommandIncidentRequest request;
    request.set_incident_id(incident_);
    request.mutable_approve()->set_plan_hash(approval.plan_hash());
    v1::CommandIncidentResponse response;
    const grpc::Status approved = api_->CommandIncident(&context, request, &response);
    EXPECT_TRUE(approved.ok()) << approved.error_message();
  }

  v1::Incident Get() {
    grpc::ClientContext context;
    v1::GetIncidentRequest request;
    request.set_incident_id(incident_);
    v1::GetIncidentResponse response;
    EXPECT_TRUE(api_->GetIncident(&context, request, &response).ok());
    return response.incident();
  }

  void WaitForPhase(v1::Phase phase) {
    EXPECT_TRUE(WaitUntil([&] { return Get().phase() == phase; }, absl::Seconds(30)))
        << v1::Phase_Name(Get().phase()) << " " << Get().ended_reason() << world_.Logs();
  }

  bool IsLateResultRecorded() {
    grpc::ClientContext context;
    v1::ListEventsRequest request;
    request.set_incident_id(incident_);
    v1::ListEventsResponse response;
    EXPECT_TRUE(api_->ListEvents(&context, request, &response).ok());
    return std::any_of(response.events().begin(), response.events().end(),
                       [](const v1::RecordedEvent& e) { return e.event().late_result().agent() == "stale"; });
  }

  void ExpectDoneOnce(const std::string& service) {
    EXPECT_EQ(1, world_.Writes(service));
    EXPECT_EQ(1, world_.Commands(service, "reload"));
    EXPECT_LE(world_.Commands(service, "notify"), 1);
    EXPECT_EQ("mode=good\n", Slurp(world_.File(service)));
  }

  // The first agent goes on, on a host of its own: nothing but the fence holds it back.
  void GoOnAfterAnotherTookOver(const std::string& point, const std::string& service) {
    ASSERT_NO_FATAL_FAILURE(StandStillAt(point, service));
    world_.Start(kRecovery, {}, "fresh", "host-b");
    WaitForPhase(v1::PHASE_DOCUMENTING);
    EXPECT_EQ("mode=good\n", Slurp(world_.File(service)));
    world_.program("stale").Signal(SIGCONT);
    EXPECT_TRUE(WaitUntil([&] { return IsLateResultRecorded(); })) << world_.Logs();
    // Whatever it still does ends before it can end itself.
    EXPECT_EQ(0, world_.program("stale").Terminate());
    witness_->Release(incident_);
    WaitForPhase(v1::PHASE_RESOLVED);
  }

  CrashWorld world_;
  std::unique_ptr<v1::Operator::Stub> api_;
  std::unique_ptr<LinkWitness> witness_;
  std::string incident_;
};

TEST_F(StaleWorker, WritesNothingAfterItsLease) {
  GoOnAfterAnotherTookOver("recovery.before_write", "plain");
  ExpectDoneOnce("plain");
}

TEST_F(StaleWorker, BeginsNothingAfterItsLease) {
  GoOnAfterAnotherTookOver("recovery.before_lock", "plain");
  ExpectDoneOnce("plain");
}

// The plan's commands come after its file: the test of the configuration, the reload, and the one that must never run
// twice, which is the third.
TEST_F(StaleWorker, RunsNoCommandAfterItsLease) {
  GoOnAfterAnotherTookOver("recovery.before_command:3", "asked");
  EXPECT_EQ(1, world_.Commands("asked", "notify"));
  EXPECT_EQ(1, world_.Writes("asked"));
}

// On one host the locks hold the second agent back as long as the first can still write.
TEST_F(StaleWorker, KeepsItsLocksOnTheSameHost) {
  ASSERT_NO_FATAL_FAILURE(StandStillAt("recovery.file_written", "plain"));
  world_.Start(kRecovery, {}, "fresh", "host-a");
  ASSERT_TRUE(WaitUntil([&] {
    const v1::Incident incident = Get();
    for (const auto& task : incident.tasks()) {
      if (task.reason().find("is being changed by another recovery") != std::string::npos) return true;
    }
    return false;
  })) << world_.Logs();
  EXPECT_EQ(0, world_.Writes("plain"));
  world_.program("stale").Signal(SIGCONT);
  WaitForPhase(v1::PHASE_DOCUMENTING);
  witness_->Release(incident_);
  WaitForPhase(v1::PHASE_RESOLVED);
  ExpectDoneOnce("plain");
}

}  // namespace
}  // namespace omnix::testing
