// What the rules of the grouping say of alerts that come again: occurrences, flapping, late alerts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/engine/engine.h"
#include "orchestrator/engine/engine_world.h"

namespace omnix {
namespace {

using testing::EngineWorld;
using ::testing::HasSubstr;

constexpr auto kFiring = v1::ALERT_STATUS_FIRING;
constexpr auto kResolved = v1::ALERT_STATUS_RESOLVED;

class EngineAlertRulesTest : public ::testing::Test {
 protected:
  v1::GroupingRule& Rule() {
    auto* rule = world_.configuration().grouping.add_rules();
    rule->set_name("test");
    rule->set_by(v1::GROUP_BY_SUBJECT);
    return *rule;
  }

  IngestedAlert Fires(const std::string& fingerprint) {
    world_.clock().Advance(absl::Seconds(1));
    return world_.Alert(fingerprint, kFiring);
  }
  IngestedAlert Clears(const std::string& fingerprint) {
    world_.clock().Advance(absl::Seconds(1));
    return world_.Alert(fingerprint, kResolved);
  }

  // From the alert to the end: agents do everything well.
  void Resolve(const std::string& incident_id) {
    auto agent = world_.Connect("agent-a");
    world_.Disconnect(agent);
    ASSERT_EQ(world_.Recorded(incident_id).phase(), v1::PHASE_RESOLVED);
  }

  EngineWorld world_;
};

TEST_F(EngineAlertRulesTest, NoIncidentBeforeTheOccurrences) {
  Rule().mutable_occurrences()->set_count(3);
  world_.Restart();
  EXPECT_TRUE(Fires("f1").pending);
  EXPECT_TRUE(Fires("f2").pending);
  EXPECT_EQ(world_.engine().open_incidents(), 0u);
  EXPECT_EQ(world_.journal().ReadPendingAlerts()->size(), 2u);
  EXPECT_TRUE(Clears("f1").pending);
  world_.Restart();
  const IngestedAlert third = Fires("f2");
  EXPECT_TRUE(third.opened) << "a restart forgets none";
  const v1::Incident incident = world_.Recorded(third.incident_id);
  EXPECT_EQ(incident.alert_counts().total(), 2u);
  EXPECT_EQ(incident.alert_counts().firing(), 1u);
  EXPECT_EQ(incident.title(), "alert f2");
  EXPECT_TRUE(world_.journal().ReadPendingAlerts()->empty());
  EXPECT_EQ(Fires("f3").incident_id, third.incident_id) << "one that is open takes further ones at once";
  EXPECT_TRUE(Clears("f1").duplicate) << "that it had cleared is known";
}

TEST_F(EngineAlertRulesTest, OccurrencesThatAreTooOldAreForgotten) {
  Rule().mutable_occurrences()->set_count(2);
  world_.Restart();
  Fires("f1");
  world_.Advance(absl::Minutes(11));
  EXPECT_TRUE(world_.journal().ReadPendingAlerts()->empty());
  EXPECT_TRUE(Fires("f1").pending);
  EXPECT_TRUE(Fires("f1").opened);
}

TEST_F(EngineAlertRulesTest, AFlappingAlertHasNoEffectUntilItIsSteady) {
  world_.Restart();
  // Another one keeps the incident from going on by itself.
  const std::string id = Fires("f1").incident_id;
  for (int change = 1; change <= 6; ++change) {
    change % 2 == 1 ? Clears("f1") : Fires("f1");
    EXPECT_EQ(world_.Recorded(id).flapping_size(), 0) << change;
  }
  EXPECT_EQ(Clears("f1").incident_id, id);
  v1::Incident incident = world_.Recorded(id);
  ASSERT_EQ(incident.flapping_size(), 1);
  EXPECT_EQ(incident.flapping(0).changes(), 7u);
  EXPECT_EQ(incident.flapping(0).status(), kResolved);
  EXPECT_EQ(incident.alert_counts().firing(), 1u);
  world_.Restart();
  Fires("f1");
  EXPECT_TRUE(Fires("f1").duplicate);
  Clears("f1");
  EXPECT_EQ(world_.Recorded(id).flapping(0).changes(), 9u);
  world_.Advance(absl::Minutes(4));
  EXPECT_EQ(world_.Recorded(id).flapping_size(), 1);
  world_.Advance(absl::Minutes(1));
  incident = world_.Recorded(id);
  EXPECT_EQ(incident.flapping_size(), 0);
  EXPECT_EQ(incident.alert_counts().resolved(), 1u);
}

TEST_F(EngineAlertRulesTest, ARestartForgetsNoChangeOfAnAlert) {
  world_.Restart();
  Fires("other");
  const std::string id = Fires("f1").incident_id;
  for (int change = 1; change <= 7; ++change) {
    EXPECT_EQ(world_.Recorded(id).flapping_size(), 0) << change;
    change % 2 == 1 ? Clears("f1") : Fires("f1");
    world_.Restart();
  }
  ASSERT_EQ(world_.Recorded(id).flapping_size(), 1);
  EXPECT_EQ(world_.Recorded(id).flapping(0).changes(), 7u);
  EXPECT_EQ(world_.Recorded(id).flapping(0).fingerprint(), "f1");
}

TEST_F(EngineAlertRulesTest, ChangesOfLongAgoDoNotCountAfterARestart) {
  world_.Restart();
  Fires("other");
  const std::string id = Fires("f1").incident_id;
  for (int change = 1; change <= 6; ++change) change % 2 == 1 ? Clears("f1") : Fires("f1");
  world_.Advance(absl::Minutes(11));
  world_.Restart();
  Clears("f1");
  EXPECT_EQ(world_.Recorded(id).flapping_size(), 0);
}

TEST_F(EngineAlertRulesTest, AnAlertThatWaitsDoesNotFlapByBeingSentAgain) {
  Rule().mutable_occurrences()->set_count(2);
  world_.Restart();
  Fires("f1");
  const std::string first = Fires("f1").incident_id;
  Clears("f1");
  Resolve(first);
  v1::Alert alert;
  alert.set_fingerprint("f1");
  alert.set_title("alert f1");
  alert.set_status(kFiring);
  *alert.mutable_starts_at() = ToProto(world_.clock().Now());
  for (int sent = 0; sent < 10; ++sent) EXPECT_TRUE(world_.Alert(alert).pending) << sent;
  const IngestedAlert second = Fires("f1");
  ASSERT_TRUE(second.opened);
  EXPECT_EQ(world_.Recorded(second.incident_id).flapping_size(), 0);
}

TEST_F(EngineAlertRulesTest, TheOccurrencesThatWaitedAreTheCountOfTheAlert) {
  const auto counts = [&] {
    std::map<std::string, uint64_t> by_alert;
    const auto alerts = world_.journal().ListAlerts(false, 100);
    for (const v1::ListedAlert& alert : *alerts) by_alert[alert.alert().fingerprint()] = alert.count();
    return by_alert;
  };
  Rule().mutable_occurrences()->set_count(4);
  world_.Restart();
  Fires("f1");
  Fires("f2");
  Fires("f1");
  ASSERT_TRUE(Fires("f1").opened);
  EXPECT_EQ(counts(), (std::map<std::string, uint64_t>{{"f1", 3}, {"f2", 1}}));
  Fires("f1");
  EXPECT_EQ(counts()["f1"], 4u) << "sent once more";
}

TEST_F(EngineAlertRulesTest, FlappingCountsAcrossIncidentsAndKeepsTheNextOneOpen) {
  Rule().set_late(v1::LATE_ALERTS_REOPEN);
  world_.Restart();
  std::set<std::string> incidents;
  std::string id;
  for (int i = 0; i < 5; ++i) {
    id = Fires("f1").incident_id;
    incidents.insert(id);
    if (world_.Recorded(id).flapping_size() > 0) break;
    Clears("f1");
    Resolve(id);
  }
  EXPECT_EQ(world_.Recorded(id).flapping_size(), 1);
  EXPECT_EQ(incidents.size(), 2u) << "it took up the first again until it flapped, then it opened one that stays";
  Clears("f1");
  EXPECT_EQ(Fires("f1").incident_id, id);
  EXPECT_EQ(world_.Recorded(id).alert_counts().firing(), 1u);
}

TEST_F(EngineAlertRulesTest, DampingCanBeSwitchedOff) {
  world_.configuration().grouping.mutable_flapping()->set_off(true);
  world_.Restart();
  const std::string id = Fires("f1").incident_id;
  for (int i = 0; i < 10; ++i) i % 2 == 0 ? Clears("f1") : Fires("f1");
  EXPECT_EQ(world_.Recorded(id).flapping_size(), 0);
}

TEST_F(EngineAlertRulesTest, ALateAlertTakesUpTheResolvedIncidentAgain) {
  Rule().set_late(v1::LATE_ALERTS_REOPEN);
  world_.Restart();
  for (const bool after_restart : {false, true}) {
    const std::string fingerprint = after_restart ? "f2" : "f1";
    const std::string id = Fires(fingerprint).incident_id;
    Clears(fingerprint);
    Resolve(id);
    if (after_restart) world_.Restart();
    const IngestedAlert late = Fires(fingerprint);
    EXPECT_EQ(late.incident_id, id);
    EXPECT_FALSE(late.opened);
    const v1::Incident incident = world_.Recorded(id);
    EXPECT_EQ(incident.phase(), v1::PHASE_INVESTIGATING);
    EXPECT_EQ(incident.reopened(), 1u);
    EXPECT_EQ(incident.alert_counts().firing(), 1u);
    EXPECT_EQ(incident.alert_counts().total(), 1u);
    EXPECT_TRUE(Fires(fingerprint).duplicate);
    Resolve(id);
  }
}

TEST_F(EngineAlertRulesTest, WhatPeopleCancelledOrEndedTooLongAgoIsLinked) {
  v1::GroupingRule& rule = Rule();
  rule.set_late(v1::LATE_ALERTS_REOPEN);
  *rule.mutable_late_within() = ToProto(absl::Hours(2));
  world_.Restart();
  const std::string resolved = Fires("f1").incident_id;
  Clears("f1");
  Resolve(resolved);
  world_.Advance(absl::Hours(3));
  const std::string second = Fires("f1").incident_id;
  EXPECT_NE(second, resolved);
  EXPECT_THAT(world_.Recorded(second).notes(0).text(), HasSubstr("An alert of " + resolved));
  v1::CommandIncidentRequest cancel;
  cancel.set_incident_id(second);
  cancel.mutable_cancel();
  ASSERT_TRUE(world_.Command(cancel).ok());
  Clears("f1");
  const std::string third = Fires("f1").incident_id;
  EXPECT_NE(third, second);
  EXPECT_EQ(world_.Recorded(second).phase(), v1::PHASE_CANCELLED);
}

}  // namespace
}  // namespace omnix
