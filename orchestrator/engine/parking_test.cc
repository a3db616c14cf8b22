// Incidents that leave memory while they wait: nobody can tell them from those that stay.
#include <gmock/gmock.h>

#include "common/json.h"
#include "orchestrator/engine/engine_world.h"

namespace omnix {
namespace {

using testing::EngineWorld;

constexpr int kIncidents = 6;

EngineOptions Keeping(size_t idle_incidents) {
  EngineOptions options;
  options.max_idle_incidents = idle_incidents;
  return options;
}

std::string Id(int number) { return "INC-2025-09-04-00" + std::to_string(number); }

v1::CommandIncidentRequest Approve(const v1::Incident& incident) {
  v1::CommandIncidentRequest request;
  request.set_incident_id(incident.id());
  request.mutable_approve()->set_plan_hash(incident.recoveries(0).plan().hash());
  return request;
}

v1::CommandIncidentRequest Note(const std::string& incident_id) {
  v1::CommandIncidentRequest request;
  request.set_incident_id(incident_id);
  request.mutable_note()->set_text("looked at it");
  return request;
}

// All wait for an approval.
void OpenAll(EngineWorld& world) {
  world.Connect("agent-a");
  for (int i = 1; i <= kIncidents; ++i) EXPECT_EQ(Id(i), world.Alert("f" + std::to_string(i)).incident_id);
  world.Advance(absl::Seconds(1));
}

// Everything that can happen to an incident that waits.
void LiveOn(EngineWorld& world) {
  EXPECT_TRUE(world.Alert("f1").duplicate);
  EXPECT_EQ(Id(2), world.Alert("f2", v1::ALERT_STATUS_RESOLVED).incident_id);
  EXPECT_TRUE(world.Command(Approve(world.Recorded(Id(1)))).ok());
  EXPECT_TRUE(world.Command(Note(Id(3))).ok());
  v1::CommandIncidentRequest cancel;
  cancel.set_incident_id(Id(4));
  cancel.mutable_cancel();
  EXPECT_TRUE(world.Command(cancel).ok());
  EXPECT_FALSE(world.Command(cancel).ok()) << "it has ended";
  // The approvals expire.
  for (int minutes = 0; minutes < 90; ++minutes) {
    for (int i = 0; i < 12; ++i) world.Advance(absl::Seconds(5));
  }
}

std::string Journal(EngineWorld& world) {
  std::string all;
  for (int i = 1; i <= kIncidents; ++i) {
    const auto events = world.journal().ReadEvents(Id(i), 0, SIZE_MAX);
    for (const auto& recorded : *events) all += SerializeDeterministically(recorded.event());
  }
  return all;
}

TEST(ParkingTest, TheJournalIsTheSameWithAndWithout) {
  EngineWorld parking(v1::POLICY_DECISION_ASK, Keeping(0));
  EngineWorld keeping(v1::POLICY_DECISION_ASK);
  for (EngineWorld* world : {&parking, &keeping}) OpenAll(*world);
  EXPECT_EQ(kIncidents, static_cast<int>(parking.engine().parked_incidents()));
  EXPECT_EQ(0u, keeping.engine().parked_incidents());
  for (EngineWorld* world : {&parking, &keeping}) LiveOn(*world);
  EXPECT_EQ(Journal(keeping), Journal(parking));
  EXPECT_EQ(v1::PHASE_RESOLVED, parking.Recorded(Id(1)).phase());
  EXPECT_EQ(v1::PHASE_ESCALATED, parking.Recorded(Id(5)).phase());
  EXPECT_EQ(keeping.engine().open_incidents(), parking.engine().open_incidents());
}

TEST(ParkingTest, ARestartParksThemAgain) {
  EngineWorld parking(v1::POLICY_DECISION_ASK, Keeping(2));
  EngineWorld keeping(v1::POLICY_DECISION_ASK);
  for (EngineWorld* world : {&parking, &keeping}) {
    OpenAll(*world);
    world->Restart();
  }
  EXPECT_EQ(kIncidents, static_cast<int>(parking.engine().open_incidents()));
  EXPECT_EQ(kIncidents - 2, static_cast<int>(parking.engine().parked_incidents()));
  for (EngineWorld* world : {&parking, &keeping}) {
    world->Connect("agent-a");
    LiveOn(*world);
  }
  EXPECT_EQ(Journal(keeping), Journal(parking));
}

TEST(ParkingTest, ShowsWhatTheyWaitFor) {
  EngineWorld world(v1::POLICY_DECISION_ASK, Keeping(0));
  OpenAll(world);
  v1::ListIncidentsResponse listed;
  listed.add_incidents()->set_id(Id(3));
  world.engine().DescribeWaiting(listed);
  EXPECT_THAT(listed.incidents(0).waiting_for(), ::testing::StartsWith("approval of plan"));
  EXPECT_EQ(kIncidents, static_cast<int>(world.engine().parked_incidents())) << "a list reads nothing back";
  v1::GetIncidentResponse shown;
  ASSERT_TRUE(world.engine().GetOpenIncident(Id(3), [&](const auto& response) { shown = *response; }));
  world.Pump();
  EXPECT_EQ(Id(3), shown.incident().id());
  EXPECT_EQ(SerializeDeterministically(world.Recorded(Id(3))), SerializeDeterministically(shown.incident()));
  EXPECT_EQ(1, shown.waiting_size());
  EXPECT_THAT(world.engine().OpenIncidentsForPeople(),
              ::testing::AllOf(::testing::HasSubstr(Id(kIncidents)), ::testing::HasSubstr("and 1 more")));
}

// What is not in the journal yet must not leave memory.
TEST(ParkingTest, OnlyWhatIsDurableLeavesMemory) {
  EngineWorld world(v1::POLICY_DECISION_ASK, Keeping(0));
  OpenAll(world);
  v1::CommandIncidentRequest request = Note(Id(1));
  request.set_by("alice");
  world.engine().CommandIncident(request, [](const auto&) {});
  const Transaction in_flight = world.engine().TakeTransaction();
  ASSERT_FALSE(in_flight.batch.events.empty());
  EXPECT_EQ(kIncidents - 1, static_cast<int>(world.engine().parked_incidents()));
  ASSERT_TRUE(world.journal().Append(in_flight.batch).ok());
  EXPECT_TRUE(world.Command(Note(Id(2))).ok());
  EXPECT_GE(world.engine().parked_incidents(), static_cast<size_t>(kIncidents - 1));
  EXPECT_EQ(nullptr, world.engine().FindOpen(Id(1))) << "the next transaction was taken: the first one is durable";
}

// A timer whose incident could not be read back is not lost.
TEST(ParkingTest, ATimerCanBeSetAgain) {
  const absl::Time now = absl::FromUnixSeconds(1'756'969'200);
  const Timer timer{TimerKind::kApproval, now + absl::Seconds(1), "hash", 0};
  IncidentTimers timers;
  timers.Set("INC-1", {timer}, now, absl::ZeroDuration());
  EXPECT_EQ(1u, timers.TakeDue(absl::Seconds(1)).size());
  EXPECT_EQ(absl::InfiniteDuration(), timers.NextDue());
  timers.SetAgain("INC-1", timer, absl::Seconds(3));
  EXPECT_EQ(absl::Seconds(3), timers.NextDue());
  EXPECT_EQ(1u, timers.TakeDue(absl::Seconds(3)).size());
}

}  // namespace
}  // namespace omnix
