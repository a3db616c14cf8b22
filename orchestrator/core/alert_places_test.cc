#include "orchestrator/core/alert_places.h"

#include <gtest/gtest.h>

#include "common/json.h"
#include "orchestrator/core/incident_fixture.h"

namespace omnix {
namespace {

constexpr int kAlerts = 300;

v1::Alert AlertNumber(int number, v1::AlertStatus status) {
  v1::Alert alert = testing::OpenCommand().alerts[0];
  alert.set_fingerprint("f" + std::to_string(number));
  alert.set_status(status);
  return alert;
}

TEST(AlertPlacesTest, FindsEachAlertWhileTheListGrows) {
  v1::Incident incident;
  AlertPlaces places;
  for (int i = 0; i < kAlerts; ++i) {
    EXPECT_EQ(-1, places.Find(incident, "f" + std::to_string(i)));
    *incident.add_alerts() = AlertNumber(i, v1::ALERT_STATUS_FIRING);
    EXPECT_EQ(i, places.Find(incident, "f" + std::to_string(i)));
    EXPECT_EQ(i / 2, places.Find(incident, "f" + std::to_string(i / 2)));
  }
}

TEST(AlertPlacesTest, AllClearedOnceTheLastOneIsAndNotAfterOneFiresAgain) {
  v1::Incident incident;
  AlertPlaces places;
  EXPECT_FALSE(places.AllCleared(incident)) << "no alerts";
  for (int i = 0; i < kAlerts; ++i) *incident.add_alerts() = AlertNumber(i, v1::ALERT_STATUS_FIRING);
  // Not in the order in which they came.
  for (int i = 0; i < kAlerts; ++i) {
    EXPECT_FALSE(places.AllCleared(incident)) << i;
    incident.mutable_alerts(i * 7 % kAlerts)->set_status(v1::ALERT_STATUS_RESOLVED);
  }
  EXPECT_TRUE(places.AllCleared(incident));
  EXPECT_TRUE(places.AllCleared(incident)) << "asked again";
  incident.mutable_alerts(3)->set_status(v1::ALERT_STATUS_FIRING);
  EXPECT_FALSE(places.AllCleared(incident));
  incident.mutable_alerts(3)->set_status(v1::ALERT_STATUS_RESOLVED);
  EXPECT_TRUE(places.AllCleared(incident));
}

// With one AlertPlaces throughout, or none, the same events give the same bytes.
TEST(AlertPlacesTest, ChangesNothingOfTheFold) {
  v1::Playbook playbook = testing::FullPlaybook();
  v1::Incident incident;
  AlertPlaces places;
  std::vector<v1::Event> events;
  auto take = [&](const Command& command) {
    const auto decided = Decide(incident, playbook, command, absl::FromUnixSeconds(1'756'969'200), &places);
    ASSERT_TRUE(decided.ok()) << decided.status();
    events.insert(events.end(), decided->begin(), decided->end());
  };
  take(testing::OpenCommand());
  for (int i = 0; i < kAlerts; ++i) {
    take(command::AttachAlert{AlertNumber(i, v1::ALERT_STATUS_FIRING)});
    take(command::AttachAlert{AlertNumber(i / 3, v1::ALERT_STATUS_RESOLVED)});
  }
  v1::Incident replayed;
  for (const auto& event : events) Evolve(replayed, event);
  EXPECT_EQ(kAlerts, replayed.alerts_size());
  EXPECT_EQ(SerializeDeterministically(incident), SerializeDeterministically(replayed));
}

}  // namespace
}  // namespace omnix
