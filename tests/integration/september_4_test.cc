// The incident of September 4, 2025 on real software: nginx, PostgreSQL, the backend, and Omnix's seven programs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "common/http_client.h"
#include "common/json.h"
#include "orchestrator/core/evolve.h"
#include "tests/support/demo.h"
#include "tests/support/stack.h"

namespace omnix {
namespace {

using testing::Demo;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using testing::Stack;

const std::vector<v1::Phase> kEnds = {v1::PHASE_RESOLVED, v1::PHASE_ESCALATED, v1::PHASE_CANCELLED};

int CountApplied(const std::vector<v1::RecordedEvent>& events) {
  return static_cast<int>(std::count_if(events.begin(), events.end(), [](const v1::RecordedEvent& recorded) {
    return recorded.event().task_succeeded().product().application().applied();
  }));
}

// The journal tells one story without a gap, and its fold is what the API shows.
void CheckJournal(Stack& stack, const v1::Incident& incident) {
  const auto events = stack.Events(incident.id());
  v1::Incident replayed;
  uint64_t sequence = 0;
  for (const auto& recorded : events) {
    EXPECT_EQ(++sequence, recorded.event().sequence());
    EXPECT_FALSE(recorded.text().empty());
    Evolve(replayed, recorded.event());
  }
  EXPECT_EQ(SerializeDeterministically(incident), SerializeDeterministically(replayed));
  EXPECT_EQ(1, CountApplied(events)) << "the fix is applied once";
}

TEST(September4, IsFoundRepairedValidatedReportedAndUndone) {
  Demo demo;
  EXPECT_EQ("", demo.FailuresOfSuite()) << "the demo must be healthy first";
  demo.Break();
  EXPECT_THAT(demo.FailuresOfSuite(), HasSubstr("404"));
  Stack stack(demo.folder() + "/stack", demo.stack_options());
  stack.Start();

  // As Alertmanager would say it.
  HttpRequest alert;
  alert.method = "POST";
  alert.url = "http://127.0.0.1:" + std::to_string(stack.http_port()) + "/v1/alerts/alertmanager";
  alert.headers = {{"Content-Type", "application/json"}};
  alert.body = R"({"version":"4","status":"firing","receiver":"omnix","groupKey":"k","groupLabels":{},"commonLabels":{},
    "commonAnnotations":{},"externalURL":"","alerts":[{"status":"firing","labels":{"alertname":"ApiCallsFail",
    "service":"gateway","severity":"critical"},"annotations":{"summary":"API calls of the frontend fail"},
    "startsAt":"2025-09-04T07:00:00Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"","fingerprint":"5ef77f1f8a3ecf8d"}]})";
  const auto accepted = SendHttp(alert);
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  ASSERT_EQ(200, accepted->status) << accepted->body;
  const auto answer = ParseJson(accepted->body);
  ASSERT_TRUE(answer.ok());
  const std::string id = (*answer)["alerts"][0]["incident_id"];

  const v1::Incident incident = stack.WaitForPhase(id, kEnds, absl::Seconds(90));
  ASSERT_EQ(v1::PHASE_RESOLVED, incident.phase()) << incident.ended_reason() << stack.Logs();
  EXPECT_EQ("", demo.FailuresOfSuite()) << "what users see works again";
  CheckJournal(stack, incident);

  ASSERT_THAT(incident.recoveries(), SizeIs(1));
  const auto& recovery = incident.recoveries(0);
  EXPECT_THAT(recovery.plan().files(), SizeIs(3)) << recovery.plan().diff();
  for (const auto& file : recovery.plan().files()) {
    EXPECT_LE(file.lines_added() + file.lines_removed(), 2u) << "only the lines it must: " << file.diff();
  }
  EXPECT_EQ(recovery.plan().hash(), recovery.approval().plan_hash());
  EXPECT_THAT(recovery.approval().by(), HasSubstr("policy:"));
  EXPECT_GE(incident.readiness().score(), 90u) << "the rest is healthy, and that is said";
  EXPECT_THAT(incident.document().artifacts(), ::testing::Not(::testing::IsEmpty()));
  EXPECT_THAT(incident.roster(), SizeIs(5));

  v1::CommandIncidentRequest rollback;
  rollback.set_incident_id(id);
  rollback.mutable_rollback();
  ASSERT_TRUE(stack.Command(rollback).ok());
  const bool undone = testing::WaitUntil([&] { return stack.Get(id).incident().recoveries(0).rollback().complete(); });
  EXPECT_TRUE(undone) << stack.Logs();
  EXPECT_EQ(demo.broken_files(), demo.Files()) << "every file is as before, byte for byte";
  EXPECT_EQ(v1::PHASE_ESCALATED, stack.Get(id).incident().phase());
}

TEST(September4, WaitsForAnApprovalAndIsBoundToIt) {
  Demo demo;
  demo.Break();
  auto options = demo.stack_options();
  options.policy_file.clear();
  Stack stack(demo.folder() + "/stack", options);
  stack.Start();
  const std::string id = stack.Open("API calls fail", "gateway");
  ASSERT_TRUE(stack.WatchFor(id, [](const v1::Event& event) { return event.has_approval_requested(); }));
  const auto got = stack.Get(id);
  ASSERT_FALSE(got.waiting().empty());
  EXPECT_THAT(got.waiting(0).hint(), HasSubstr("omnix incident approve " + id));
  EXPECT_EQ(demo.broken_files(), demo.Files()) << "nothing is changed before the approval";

  v1::CommandIncidentRequest approve;
  approve.set_incident_id(id);
  approve.mutable_approve()->set_plan_hash(std::string(64, '0'));
  EXPECT_EQ(grpc::StatusCode::FAILED_PRECONDITION, stack.Command(approve).error_code());
  approve.mutable_approve()->set_plan_hash(got.incident().recoveries(0).plan().hash());
  EXPECT_TRUE(stack.Command(approve).ok());
  const v1::Incident incident = stack.WaitForPhase(id, kEnds);
  EXPECT_EQ(v1::PHASE_RESOLVED, incident.phase()) << incident.ended_reason();
  EXPECT_EQ("operator:test", incident.recoveries(0).approval().by());
  EXPECT_EQ("", demo.FailuresOfSuite());
}

// kill -9 of each program at the beginning of each phase: the incident still ends resolved, no step is lost, no fix is
// applied twice.
class KillTest : public ::testing::TestWithParam<v1::Phase> {};

TEST_P(KillTest, AnyProgramMayDie) {
  Demo demo;
  demo.Break();
  std::map<std::string, std::string> repaired;
  Stack stack(demo.folder() + "/stack", demo.stack_options());
  stack.Start();
  std::vector<std::string> victims = {"omnixd"};
  victims.insert(victims.end(), testing::kAgentKinds.begin(), testing::kAgentKinds.end());
  for (const auto& victim : victims) {
    SCOPED_TRACE("kill -9 " + victim + " in " + v1::Phase_Name(GetParam()));
    demo.Break();
    const std::string id = stack.Open("API calls fail", "gateway");
    ASSERT_TRUE(stack.WatchFor(id, [&](const v1::Event& event) { return event.phase_entered().phase() == GetParam(); }))
        << stack.Logs();
    const auto before = stack.Events(id);
    stack.KillAndRestart(victim);
    const v1::Incident incident = stack.WaitForPhase(id, kEnds, absl::Seconds(60));
    ASSERT_EQ(v1::PHASE_RESOLVED, incident.phase()) << incident.ended_reason() << stack.Logs();
    CheckJournal(stack, incident);
    const auto after = stack.Events(id);
    ASSERT_LE(before.size(), after.size());
    for (size_t i = 0; i < before.size(); ++i) {
      EXPECT_EQ(SerializeDeterministically(before[i].event()), SerializeDeterministically(after[i].event()))
          << "a step was lost";
    }
    if (repaired.empty()) repaired = demo.Files();
    EXPECT_EQ(repaired, demo.Files());
  }
  EXPECT_EQ("", demo.FailuresOfSuite());
}

INSTANTIATE_TEST_SUITE_P(Phases, KillTest,
                         ::testing::Values(v1::PHASE_MOBILIZING, v1::PHASE_INVESTIGATING, v1::PHASE_RECOVERING,
                                           v1::PHASE_VALIDATING, v1::PHASE_DOCUMENTING),
                         [](const auto& phase) { return v1::Phase_Name(phase.param).substr(6); });

}  // namespace
}  // namespace omnix
