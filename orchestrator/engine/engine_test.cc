#include "orchestrator/engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/json.h"
#include "orchestrator/core/names.h"
#include "orchestrator/engine/engine_world.h"

namespace omnix {
namespace {

using testing::EngineWorld;
using ::testing::HasSubstr;
using testing::ScriptedAgent;

v1::CommandIncidentRequest For(const std::string& incident_id) {
  v1::CommandIncidentRequest request;
  request.set_incident_id(incident_id);
  return request;
}

std::string FirstWaiting(EngineWorld& world, const std::string& incident_id) {
  v1::GetIncidentResponse got;
  world.engine().GetOpenIncident(incident_id, [&](absl::StatusOr<v1::GetIncidentResponse> r) { got = *r; });
  world.Pump();
  return got.waiting().empty() ? "" : got.waiting(0).what() + " | " + got.waiting(0).hint();
}

// Does everything but the tasks of this type, which it never answers.
ScriptedAgent::Script HangIn(const std::string& type) {
  return [type](const v1::Assign& assign) -> std::optional<v1::Product> {
    if (assign.type() == type) return std::nullopt;
    return testing::DoEverythingWell(assign);
  };
}

TEST(Engine, AnAlertBecomesAResolvedIncident) {
  EngineWorld world;
  world.Connect("agent-a");
  const IngestedAlert opened = world.Alert("f1");
  EXPECT_TRUE(opened.opened);
  EXPECT_EQ("INC-2025-09-04-001", opened.incident_id);
  const v1::Incident incident = world.Recorded(opened.incident_id);
  EXPECT_EQ(v1::PHASE_RESOLVED, incident.phase()) << incident.ShortDebugString();
  EXPECT_EQ("validated", incident.recoveries(0).outcome());
  EXPECT_EQ("policy:test", incident.recoveries(0).approval().by());
  EXPECT_EQ(0u, world.engine().open_incidents());
}

TEST(Engine, ARepeatedAlertIsCountedAndALaterOneOpensANewIncident) {
  EngineWorld world;
  const auto agent = world.Connect("agent-a", HangIn("investigation.diagnose"));
  const IngestedAlert first = world.Alert("f1");
  EXPECT_TRUE(world.Alert("f1").duplicate);
  EXPECT_FALSE(world.Alert("f1", v1::ALERT_STATUS_RESOLVED).duplicate);
  // All alerts cleared before Recovering: validated, not repaired.
  EXPECT_EQ(v1::PHASE_RESOLVED, world.Recorded(first.incident_id).phase());
  EXPECT_EQ(0, world.Recorded(first.incident_id).recoveries_size());
  const IngestedAlert again = world.Alert("f1");
  EXPECT_TRUE(again.opened);
  EXPECT_EQ("INC-2025-09-04-002", again.incident_id);
}

TEST(Engine, TheClearingOfAClosedIncidentsAlertIsRecordedThere) {
  EngineWorld world;
  world.Connect("agent-a");
  const IngestedAlert opened = world.Alert("f1");
  EXPECT_EQ(opened.incident_id, world.Alert("f1", v1::ALERT_STATUS_RESOLVED).incident_id);
  EXPECT_EQ(v1::ALERT_STATUS_RESOLVED, world.Recorded(opened.incident_id).alerts(0).status());
  EXPECT_EQ(0u, world.engine().open_incidents());
}

TEST(Engine, AnOperatorsApprovalIsBoundToThePlan) {
  EngineWorld world(v1::POLICY_DECISION_ASK);
  world.Connect("agent-a");
  const std::string id = world.Alert("f1").incident_id;
  EXPECT_THAT(FirstWaiting(world, id), HasSubstr("approval of plan"));
  EXPECT_THAT(FirstWaiting(world, id), HasSubstr("omnix incident approve " + id));
  auto approve = For(id);
  approve.mutable_approve()->set_plan_hash("another");
  EXPECT_EQ(absl::StatusCode::kFailedPrecondition, world.Command(approve).code());
  approve.mutable_approve()->set_plan_hash(world.Recorded(id).recoveries(0).plan().hash());
  EXPECT_TRUE(world.Command(approve).ok());
  EXPECT_EQ(v1::PHASE_RESOLVED, world.Recorded(id).phase());
  EXPECT_EQ("operator:alice", world.Recorded(id).recoveries(0).approval().by());
  EXPECT_FALSE(world.Command(approve).ok()) << "approved twice";
}

TEST(Engine, AnUnansweredApprovalEscalates) {
  EngineWorld world(v1::POLICY_DECISION_ASK);
  world.Connect("agent-a");
  const std::string id = world.Alert("f1").incident_id;
  for (int minutes = 0; minutes < 59 * 6; ++minutes) world.Advance(absl::Seconds(10));
  EXPECT_EQ(v1::PHASE_RECOVERING, world.Recorded(id).phase());
  for (int i = 0; i < 12; ++i) world.Advance(absl::Seconds(10));
  EXPECT_EQ(v1::PHASE_ESCALATED, world.Recorded(id).phase());
  EXPECT_THAT(FirstWaiting(world, id), HasSubstr("an operator"));
}

TEST(Engine, AForbiddenPlanEscalates) {
  EngineWorld world(v1::POLICY_DECISION_FORBID);
  world.Connect("agent-a");
  const std::string id = world.Alert("f1").incident_id;
  EXPECT_EQ(v1::PHASE_ESCALATED, world.Recorded(id).phase());
  EXPECT_THAT(world.Recorded(id).ended_reason(), HasSubstr("policy:test forbids"));
}

TEST(Engine, AFailedValidationIsRolledBackAndTheNextExplanationTried) {
  EngineWorld world;
  int validations = 0;
  world.Connect("agent-a", [&](const v1::Assign& assign) -> std::optional<v1::Product> {
    if (assign.type() == "testing.validate") return testing::VerdictOf(++validations == 2);
    return testing::DoEverythingWell(assign);
  });
  const v1::Incident incident = world.Recorded(world.Alert("f1").incident_id);
  EXPECT_EQ(v1::PHASE_RESOLVED, incident.phase());
  ASSERT_EQ(2, incident.recoveries_size());
  EXPECT_TRUE(incident.recoveries(0).rollback().complete());
  EXPECT_EQ("x1", incident.recoveries(0).explanation_id());
  EXPECT_EQ("x2", incident.recoveries(1).explanation_id());
  EXPECT_EQ("validated", incident.recoveries(1).outcome());
}

TEST(Engine, TasksWithoutAnAgentWaitVisiblyAndGoOnWhenItComes) {
  EngineWorld world;
  const std::string id = world.Alert("f1").incident_id;
  EXPECT_THAT(FirstWaiting(world, id), HasSubstr("no agent offers"));
  world.Connect("half", testing::DoEverythingWell, {}, {"investigation.diagnose"});
  world.Advance(absl::Seconds(21));
  EXPECT_EQ(v1::PHASE_RECOVERING, world.Recorded(id).phase());
  EXPECT_THAT(FirstWaiting(world, id), HasSubstr("no agent offers recovery.plan"));
  world.Connect("other");
  EXPECT_EQ(v1::PHASE_RESOLVED, world.Recorded(id).phase());
}

TEST(Engine, ASilentAgentsTaskGoesToAnotherAndItsLateResultChangesNothing) {
  EngineWorld world;
  const auto hangs = world.Connect("agent-a", HangIn("recovery.apply"));
  const std::string id = world.Alert("f1").incident_id;
  EXPECT_EQ("recovery.apply", hangs->assigned.back().type());
  const v1::Assign stale = hangs->assigned.back();
  world.Disconnect(hangs);
  world.Connect("agent-b");
  EXPECT_EQ(v1::PHASE_RECOVERING, world.Recorded(id).phase()) << "the lease still holds";
  world.Advance(absl::Seconds(6));
  world.Advance(absl::Seconds(6));
  world.Advance(absl::Seconds(2));
  EXPECT_EQ(v1::PHASE_RESOLVED, world.Recorded(id).phase());

  const std::string other = world.Alert("f2").incident_id;
  EXPECT_EQ(v1::PHASE_RESOLVED, world.Recorded(other).phase());
  const auto back = world.Connect("agent-a", testing::DoEverythingWell, {stale.lease()});
  back->Answer(stale.lease(), testing::ApplicationOf("x", true));
  world.Pump();
  EXPECT_EQ(1u, back->acknowledged.size()) << "a late result is acknowledged, or it comes for ever";
  EXPECT_EQ(v1::PHASE_RESOLVED, world.Recorded(id).phase());
}

TEST(Engine, AStaleAgentThatComesBackIsToldToStopAndRecorded) {
  EngineWorld world;
  const auto hangs = world.Connect("agent-a", HangIn("recovery.apply"));
  const std::string id = world.Alert("f1").incident_id;
  const v1::LeaseId stale = hangs->assigned.back().lease();
  world.Disconnect(hangs);
  world.Connect("agent-b", HangIn("documentation.report"));
  for (int i = 0; i < 3; ++i) world.Advance(absl::Seconds(6));
  ASSERT_EQ(v1::PHASE_DOCUMENTING, world.Recorded(id).phase());
  const v1::Incident before = world.Recorded(id);

  // agent-b has done the task meanwhile.
  world.Connect("agent-a", testing::DoEverythingWell, {stale});
  const auto events = world.journal().ReadEvents(id, before.sequence(), SIZE_MAX);
  ASSERT_TRUE(events.ok()) << events.status();
  ASSERT_EQ(1u, events->size());
  const v1::LateResult& late = events->front().event().late_result();
  EXPECT_EQ("agent-a", late.agent());
  EXPECT_EQ(stale.fencing_token(), late.fencing_token());
  EXPECT_EQ(before.tasks_size(), world.Recorded(id).tasks_size());
  EXPECT_EQ(v1::PHASE_DOCUMENTING, world.Recorded(id).phase());
}

TEST(Engine, AnAttemptThatTakesTooLongIsCancelledAndRepeated) {
  EngineWorld world;
  int attempts = 0;
  const auto agent = world.Connect("agent-a", [&](const v1::Assign& assign) -> std::optional<v1::Product> {
    if (assign.type() == "investigation.diagnose" && ++attempts == 1) return std::nullopt;
    return testing::DoEverythingWell(assign);
  });
  const std::string id = world.Alert("f1").incident_id;
  for (int i = 0; i < 30; ++i) world.Advance(absl::Seconds(5));
  ASSERT_EQ(1u, agent->cancelled.size());
  EXPECT_EQ(v1::PHASE_RESOLVED, world.Recorded(id).phase());
  EXPECT_EQ(2u, world.Recorded(id).tasks(0).attempt());
}

TEST(Engine, AJumpOfTheWallClockFiresNoTimer) {
  EngineWorld world;
  const auto agent = world.Connect("agent-a", HangIn("investigation.diagnose"));
  const std::string id = world.Alert("f1").incident_id;
  world.clock().JumpWall(absl::Hours(24 * 3650));
  world.Advance(absl::Seconds(5));
  EXPECT_EQ(1u, agent->assigned.size());
  EXPECT_EQ(v1::PHASE_INVESTIGATING, world.Recorded(id).phase());
  world.clock().JumpWall(-absl::Hours(24 * 7300));
  for (int i = 0; i < 30; ++i) world.Advance(absl::Seconds(5));
  EXPECT_EQ(2u, agent->assigned.size()) << "the attempt's time was up by the monotonic clock";
}

TEST(Engine, TwoIncidentsNeverHoldTheSameResource) {
  EngineWorld world;
  const auto agent = world.Connect("agent-a", HangIn("recovery.apply"));
  const std::string first = world.Alert("f1").incident_id;
  const std::string second = world.Alert("f2").incident_id;
  auto applies = [&] {
    return std::count_if(agent->assigned.begin(), agent->assigned.end(),
                         [](const v1::Assign& assign) { return assign.type() == "recovery.apply"; });
  };
  EXPECT_EQ(1, applies());
  EXPECT_THAT(FirstWaiting(world, second), HasSubstr(first + " is changing"));
  for (const auto& assign : std::vector(agent->assigned)) {
    if (assign.type() != "recovery.apply") continue;
    agent->Answer(assign.lease(), *testing::DoEverythingWell(assign));
  }
  world.Pump();
  EXPECT_EQ(v1::PHASE_RESOLVED, world.Recorded(first).phase());
  EXPECT_EQ(2, applies()) << "the second goes on as soon as the first has let go";
}

TEST(Engine, ARestartAfterEveryCommitStillEndsResolvedWithNoStepLost) {
  EngineWorld reference;
  reference.Connect("agent-a");
  const int steps = static_cast<int>(reference.Recorded(reference.Alert("f1").incident_id).sequence());
  ASSERT_GT(steps, 10);
  for (bool agent_restarts : {false, true}) {
    for (int stop_at = 2; stop_at <= steps; ++stop_at) {
      SCOPED_TRACE("engine restarted after event " + std::to_string(stop_at) + (agent_restarts ? ", agent too" : ""));
      EngineWorld world;
      // Hangs once the journal has so many events: the moment of the crash.
      std::vector<v1::LeaseId> unanswered;
      const std::string id = "INC-2025-09-04-001";
      auto script = [&](const v1::Assign& assign) -> std::optional<v1::Product> {
        if (static_cast<int>(world.Recorded(id).sequence()) < stop_at) return testing::DoEverythingWell(assign);
        unanswered.push_back(assign.lease());
        return std::nullopt;
      };
      auto agent = world.Connect("agent-a", script);
      world.Alert("f1");
      const std::string before = SerializeDeterministically(world.Recorded(id));
      world.Restart();
      if (const v1::Incident* open = world.engine().FindOpen(id)) {
        // Nothing but what recovery itself adds: the state in memory is the journal's.
        EXPECT_EQ(SerializeDeterministically(world.Recorded(id)), SerializeDeterministically(*open));
      }
      EXPECT_EQ(before, SerializeDeterministically(world.Recorded(id)));
      auto again =
          world.Connect("agent-a", testing::DoEverythingWell, agent_restarts ? std::vector<v1::LeaseId>() : unanswered);
      if (!agent_restarts) {
        for (const auto& lease : unanswered) {
          v1::Assign assign;
          *assign.mutable_lease() = lease;
          const v1::Incident incident = world.Recorded(id);
          assign.set_type(FindTask(incident, lease.task_id())->spec().type());
          again->Answer(lease, *testing::DoEverythingWell(assign));
        }
      }
      world.Pump();
      for (int i = 0; i < 5; ++i) world.Advance(absl::Seconds(5));
      const v1::Incident incident = world.Recorded(id);
      EXPECT_EQ(v1::PHASE_RESOLVED, incident.phase()) << incident.ShortDebugString();
      EXPECT_EQ(1, incident.recoveries_size());
    }
  }
}

TEST(Engine, ACommitThatFailsIsAnsweredUnavailableAndForgotten) {
  for (const auto fault : {MemoryJournal::Fault::kBeforeKeeping, MemoryJournal::Fault::kAfterKeeping}) {
    EngineWorld world;
    world.Connect("agent-a", HangIn("investigation.diagnose"));
    world.journal().FailNextAppend(fault);
    absl::Status answer;
    v1::Alert alert;
    alert.set_fingerprint("f1");
    alert.set_title("t");
    alert.set_status(v1::ALERT_STATUS_FIRING);
    world.engine().IngestAlerts({alert}, [&](const auto& result) { answer = result.status(); });
    world.Pump();
    EXPECT_EQ(absl::StatusCode::kUnavailable, answer.code());
    world.engine().IngestAlerts({alert}, [&](const auto& result) { answer = result.status(); });
    EXPECT_EQ(absl::StatusCode::kUnavailable, answer.code()) << "refused until the journal works";
    ASSERT_TRUE(world.journal().Reopen().ok());
    ASSERT_TRUE(world.engine().Recover().ok());
    const IngestedAlert retried = world.Alert("f1");
    world.Connect("agent-a");
    // Kept after all: the sender's second try must not make a second incident out of it.
    EXPECT_EQ("INC-2025-09-04-001", retried.incident_id);
    EXPECT_EQ(v1::PHASE_RESOLVED, world.Recorded(retried.incident_id).phase());
  }
}

TEST(Engine, ARollbackOfAResolvedIncidentUndoesItAndOpensItAgain) {
  EngineWorld world;
  world.Connect("agent-a");
  const std::string id = world.Alert("f1").incident_id;
  auto rollback = For(id);
  rollback.mutable_rollback();
  EXPECT_TRUE(world.Command(rollback).ok());
  const v1::Incident incident = world.Recorded(id);
  EXPECT_EQ(v1::PHASE_ESCALATED, incident.phase());
  EXPECT_TRUE(incident.recoveries(0).rollback().complete());
  EXPECT_TRUE(incident.resources().empty());
  EXPECT_EQ(absl::StatusCode::kFailedPrecondition, world.Command(rollback).code()) << "there is nothing left to undo";
}

TEST(Engine, ACommandIsAnsweredWithTheIncidentAsItStands) {
  EngineWorld world;
  world.Connect("agent-a");
  auto note = For(world.Alert("f1").incident_id);
  note.mutable_note()->set_text("seen by the shop's owner");
  v1::CommandIncidentResponse answer;
  world.engine().CommandIncident(note, [&](absl::StatusOr<v1::CommandIncidentResponse> r) { answer = *r; });
  world.Pump();
  EXPECT_EQ(v1::PHASE_RESOLVED, answer.incident().phase());
  EXPECT_EQ("alert f1", answer.incident().title());
}

TEST(Engine, AnUnknownIncidentSaysWhichAreOpen) {
  EngineWorld world;
  const std::string open = world.Alert("f1").incident_id;
  auto pause = For("INC-2025-09-04-777");
  pause.mutable_pause();
  const absl::Status status = world.Command(pause);
  EXPECT_EQ(absl::StatusCode::kNotFound, status.code());
  EXPECT_THAT(std::string(status.message()), HasSubstr(open));
}

TEST(Engine, AnUnmetConditionSkipsTheTaskAndABrokenInputEscalates) {
  EngineWorld world;
  auto& playbook = world.configuration().playbooks[0];
  playbook.mutable_documenting(0)->set_when(".incident.severity == \"SEVERITY_CRITICAL\"");
  world.Restart();
  world.Connect("agent-a");
  v1::Incident incident = world.Recorded(world.Alert("f1").incident_id);
  EXPECT_EQ(v1::PHASE_RESOLVED, incident.phase());
  EXPECT_EQ(v1::TASK_STATE_SKIPPED, incident.tasks(incident.tasks_size() - 1).state());

  playbook.mutable_investigating(0)->set_input(".incident | error(\"boom\")");
  world.Restart();
  world.Connect("agent-a");
  incident = world.Recorded(world.Alert("f2").incident_id);
  EXPECT_EQ(v1::PHASE_ESCALATED, incident.phase());
  EXPECT_THAT(incident.ended_reason(), HasSubstr("boom"));
}

TEST(Engine, APausedIncidentLeasesNothingUntilItIsResumed) {
  EngineWorld world;
  const std::string id = world.Alert("f1").incident_id;
  auto pause = For(id);
  pause.mutable_pause();
  EXPECT_TRUE(world.Command(pause).ok());
  const auto agent = world.Connect("agent-a");
  world.Advance(absl::Seconds(30));
  EXPECT_TRUE(agent->assigned.empty());
  auto resume = For(id);
  resume.mutable_resume();
  EXPECT_TRUE(world.Command(resume).ok());
  world.Advance(absl::Seconds(30));
  EXPECT_EQ(v1::PHASE_RESOLVED, world.Recorded(id).phase());
}

}  // namespace
}  // namespace omnix
