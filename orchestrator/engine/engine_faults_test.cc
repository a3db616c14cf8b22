// What the simulation found (tests/simulation), each as a small test of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/engine/engine_world.h"

namespace omnix {
namespace {

using testing::EngineWorld;
using testing::ScriptedAgent;

v1::CommandIncidentRequest For(const std::string& incident_id) {
  v1::CommandIncidentRequest request;
  request.set_incident_id(incident_id);
  return request;
}

ScriptedAgent::Script HangIn(const std::string& type) {
  return [type](const v1::Assign& assign) -> std::optional<v1::Product> {
    if (assign.type() == type) return std::nullopt;
    return testing::DoEverythingWell(assign);
  };
}

constexpr absl::Duration kTenYears = absl::Hours(24 * 3652);

TEST(EngineFaults, AResultIsTakenFromTheHolderOfItsLeaseAlone) {
  EngineWorld world;
  const auto holder = world.Connect("agent-a", HangIn("investigation.diagnose"));
  const IngestedAlert opened = world.Alert("f1");
  ASSERT_EQ(1u, holder->assigned.size());
  const auto liar = world.Connect("agent-b");
  liar->Answer(holder->assigned[0].lease(), testing::DiagnosisOf({"x1"}));
  world.Pump();
  EXPECT_EQ(v1::PHASE_INVESTIGATING, world.Recorded(opened.incident_id).phase());
}

TEST(EngineFaults, TheClearingOfAnEndedIncidentsAlertIsKeptAfterARestart) {
  EngineWorld world;
  world.Connect("agent-a");
  const IngestedAlert opened = world.Alert("f1");
  ASSERT_EQ(v1::PHASE_RESOLVED, world.Recorded(opened.incident_id).phase());
  world.Restart();
  EXPECT_EQ(opened.incident_id, world.Alert("f1", v1::ALERT_STATUS_RESOLVED).incident_id);
}

TEST(EngineFaults, AnIncidentWhoseEndIsBeingWrittenTakesCommandsWithTheirTrueNumbers) {
  EngineWorld world;
  world.Connect("agent-a", HangIn("investigation.diagnose"));
  const IngestedAlert opened = world.Alert("f1");
  auto cancel = For(opened.incident_id);
  cancel.mutable_cancel();
  world.engine().CommandIncident(cancel, [](const absl::StatusOr<v1::CommandIncidentResponse>&) {});
  const Transaction being_written = world.engine().TakeTransaction();
  auto note = For(opened.incident_id);
  note.mutable_note()->set_text("come too early");
  world.engine().CommandIncident(note, [](const absl::StatusOr<v1::CommandIncidentResponse>&) {});
  const Transaction next = world.engine().TakeTransaction();
  ASSERT_FALSE(next.batch.events.empty());
  EXPECT_EQ(being_written.batch.events.back().event().sequence() + 1, next.batch.events.front().event().sequence());
}

TEST(EngineFaults, NumbersOfADayAreNotGivenTwiceWhenTheClockComesBackToIt) {
  EngineWorld world;
  auto open = [&] {
    v1::OpenIncidentRequest request;
    request.set_title("by hand");
    world.engine().OpenIncident(request, [](const absl::StatusOr<v1::OpenIncidentResponse>&) {});
  };
  open();
  world.clock().JumpWall(kTenYears);
  open();
  world.clock().JumpWall(-kTenYears);
  open();
  EXPECT_EQ(3u, world.engine().open_incidents());
}

TEST(EngineFaults, TheWaitBeforeAnotherAttemptIsNeitherCutNorStretchedByTheWallClock) {
  for (const absl::Duration jump : {kTenYears, -kTenYears}) {
    EngineWorld world;
    const auto agent = world.Connect("agent-a", HangIn("investigation.diagnose"));
    world.Alert("f1");
    ASSERT_EQ(1u, agent->assigned.size());
    v1::AgentItem failed;
    *failed.mutable_result()->mutable_lease() = agent->assigned[0].lease();
    failed.mutable_result()->set_outcome(v1::OUTCOME_FAILED);
    agent->outbox.push_back(failed);
    world.Pump();
    world.clock().JumpWall(jump);
    world.Alert("f1", v1::ALERT_STATUS_FIRING);
    world.Advance(absl::Milliseconds(900));
    EXPECT_EQ(1u, agent->assigned.size()) << jump;
    world.Advance(absl::Milliseconds(200));
    EXPECT_EQ(2u, agent->assigned.size()) << jump;
  }
}

TEST(EngineFaults, AClockSetBackBeforeARestartKeepsNoTimerForYears) {
  EngineWorld world;
  const IngestedAlert opened = world.Alert("f1");
  world.clock().JumpWall(-kTenYears);
  world.Restart();
  world.Advance(absl::Seconds(21));
  EXPECT_EQ(v1::PHASE_INVESTIGATING, world.Recorded(opened.incident_id).phase()) << "the roll call goes on for years";
}

TEST(EngineFaults, AnIncidentThatIsTakenUpAgainHasANewBudget) {
  EngineWorld world;
  world.Connect("agent-a", HangIn("investigation.diagnose"));
  const IngestedAlert opened = world.Alert("f1");
  auto escalate = For(opened.incident_id);
  escalate.mutable_escalate();
  ASSERT_TRUE(world.Command(escalate).ok());
  for (int hours = 0; hours < 3; ++hours) world.Advance(absl::Hours(1));
  world.Connect("agent-b", HangIn("investigation.diagnose"));
  auto resume = For(opened.incident_id);
  resume.mutable_resume();
  ASSERT_TRUE(world.Command(resume).ok());
  EXPECT_EQ(v1::PHASE_INVESTIGATING, world.Recorded(opened.incident_id).phase());
}

TEST(EngineFaults, AnEngineThatRefusesAsksForNoTick) {
  EngineWorld world;
  world.Connect("agent-a");
  world.engine().Forget(absl::UnavailableError("the disk is full"));
  world.clock().Advance(absl::Minutes(1));
  EXPECT_EQ(absl::InfiniteDuration(), world.engine().NextTick());
}

TEST(EngineFaults, AnEngineThatRefusesStillKnowsHowManyIncidentsWereOpen) {
  EngineWorld world;
  world.Alert("f1");
  for (int times = 0; times < 2; ++times) {
    world.engine().Forget(absl::UnavailableError("the disk is full"));
    v1::GetStatusResponse status;
    world.engine().GetStatus([&](const absl::StatusOr<v1::GetStatusResponse>& answer) { status = *answer; });
    EXPECT_EQ(status.journal(), "the disk is full");
    EXPECT_EQ(status.open_incidents(), 1u);
  }
}

TEST(EngineFaults, ACancelledChangeKeepsItsLocksUntilItsAgentHasStopped) {
  EngineWorld world;
  const auto agent = world.Connect("agent-a", HangIn("recovery.apply"));
  const IngestedAlert first = world.Alert("f1");
  const size_t assigned = agent->assigned.size();
  ASSERT_EQ("recovery.apply", agent->assigned.back().type());
  const v1::LeaseId applying = agent->assigned.back().lease();
  const IngestedAlert second = world.Alert("f2");
  auto cancel = For(first.incident_id);
  cancel.mutable_cancel();
  ASSERT_TRUE(world.Command(cancel).ok());
  EXPECT_TRUE(world.Recorded(second.incident_id).resources().empty()) << "while the first may still be undone";
  agent->Answer(applying, {});
  world.Pump();
  EXPECT_FALSE(world.Recorded(second.incident_id).resources().empty());
  EXPECT_GT(agent->assigned.size(), assigned);
}

// It may stand still in the middle of its work, and go on later: it takes back then what it had begun.
TEST(EngineFaults, ASilentAgentKeepsTheLocksOfItsCancelledChange) {
  EngineWorld world;
  const auto agent = world.Connect("agent-a", HangIn("recovery.apply"));
  const IngestedAlert first = world.Alert("f1");
  ASSERT_EQ("recovery.apply", agent->assigned.back().type());
  const absl::Duration longest = FromProto(agent->assigned.back().timeout());
  const IngestedAlert second = world.Alert("f2");
  auto cancel = For(first.incident_id);
  cancel.mutable_cancel();
  ASSERT_TRUE(world.Command(cancel).ok());
  world.Disconnect(agent);
  const auto other = world.Connect("agent-b", HangIn("recovery.apply"));
  world.Advance(absl::Seconds(15));
  EXPECT_TRUE(world.Recorded(second.incident_id).resources().empty());
  world.Advance(longest);
  EXPECT_EQ("recovery.apply", other->assigned.back().type());
  EXPECT_FALSE(world.Recorded(second.incident_id).resources().empty()) << "it has begun nothing after its time";
}

}  // namespace
}  // namespace omnix
