#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/core/evolve_alerts.h"
#include "orchestrator/engine/engine.h"
#include "orchestrator/engine/engine_world.h"

namespace omnix {
namespace {

using testing::EngineWorld;
using ::testing::HasSubstr;

class EngineMovesTest : public ::testing::Test {
 protected:
  v1::CommandIncidentRequest Merge(const std::string& id, const std::string& into) {
    v1::CommandIncidentRequest request;
    request.set_incident_id(id);
    request.set_reason("one cause");
    request.mutable_merge()->set_into(into);
    return request;
  }

  v1::CommandIncidentRequest Split(const std::string& id, const std::vector<std::string>& fingerprints) {
    v1::CommandIncidentRequest request;
    request.set_incident_id(id);
    request.set_reason("another cause");
    request.mutable_split();
    for (const auto& fingerprint : fingerprints) request.mutable_split()->add_fingerprints(fingerprint);
    return request;
  }

  v1::CommandIncidentResponse Answer(v1::CommandIncidentRequest request) {
    v1::CommandIncidentResponse answer;
    request.set_by("alice");
    world_.engine().CommandIncident(request, [&](absl::StatusOr<v1::CommandIncidentResponse> response) {
      ASSERT_TRUE(response.ok()) << response.status();
      answer = *response;
    });
    world_.Pump();
    return answer;
  }

  // The incident that has the alert after it was read anew.
  std::string Clears(const std::string& fingerprint) {
    return world_.Alert(fingerprint, v1::ALERT_STATUS_RESOLVED).incident_id;
  }

  // By which alerts without a subject are incidents of their own.
  EngineWorld world_;
};

TEST_F(EngineMovesTest, AMergedIncidentEndsAndItsAlertsAreTheOthers) {
  const std::string from = world_.Alert("f1").incident_id;
  const std::string into = world_.Alert("g1").incident_id;
  ASSERT_NE(from, into);
  world_.Alert("f1");
  const auto answer = Answer(Merge(from, into));
  EXPECT_EQ(answer.incident().phase(), v1::PHASE_CANCELLED);
  EXPECT_EQ(answer.other_incident_id(), into);
  EXPECT_EQ(world_.Recorded(from).ended_reason(), "merged into " + into);
  EXPECT_EQ(world_.Recorded(from).alert_counts().total(), 0u);
  EXPECT_EQ(world_.Recorded(into).alert_counts().firing(), 2u);
  EXPECT_TRUE(world_.Alert("f1").duplicate) << "it is known there";
  world_.Restart();
  EXPECT_EQ(into, Clears("f1"));
  EXPECT_EQ(into, Clears("g1"));
  EXPECT_EQ(world_.Recorded(into).phase(), v1::PHASE_VALIDATING);
  const auto rows = world_.journal().ListAlerts(false, 10);
  ASSERT_EQ(rows->size(), 2u);
  for (const auto& row : *rows) {
    EXPECT_EQ(row.incident_id(), into);
    EXPECT_EQ(row.count(), row.alert().fingerprint() == "f1" ? 4u : 2u);
  }
}

TEST_F(EngineMovesTest, ASplitOpensAnIncidentWithTheAlertsThatItNames) {
  const std::string one = world_.Alert("f1").incident_id;
  const std::string id = world_.Alert("f2").incident_id;
  Answer(Merge(one, id));
  world_.Alert("f1");
  const std::string other = Answer(Split(id, {"f1"})).other_incident_id();
  EXPECT_NE(other, id);
  EXPECT_NE(other, one);
  const v1::Incident opened = world_.Recorded(other);
  EXPECT_EQ(opened.title(), "alert f1");
  ASSERT_EQ(opened.related_size(), 1);
  EXPECT_EQ(opened.related(0).relation(), v1::RELATION_SPLIT_FROM);
  EXPECT_EQ(opened.related(0).incident_id(), id);
  EXPECT_EQ(world_.Recorded(id).alert_counts().total(), 1u);
  for (const bool after_restart : {false, true}) {
    if (after_restart) world_.Restart();
    EXPECT_EQ(other, Clears("f1"));
    EXPECT_EQ(other, world_.Alert("f1").incident_id);
  }
}

TEST_F(EngineMovesTest, ARepeatInTheSameTransactionCountsWhereTheAlertIs) {
  const std::string from = world_.Alert("f1").incident_id;
  const std::string into = world_.Alert("g1").incident_id;
  v1::Alert again;
  again.set_fingerprint("f1");
  again.set_title("alert f1");
  again.set_status(v1::ALERT_STATUS_FIRING);
  again.set_severity(v1::SEVERITY_ERROR);
  auto repeat = [&](const std::string& expected) {
    world_.engine().IngestAlerts({again}, [expected](auto ingested) {
      ASSERT_TRUE(ingested.ok()) << ingested.status();
      EXPECT_EQ(ingested->front().incident_id, expected);
    });
  };
  repeat(from);
  Answer(Merge(from, into));
  repeat(into);
  const std::string other = Answer(Split(into, {"f1"})).other_incident_id();
  const auto rows = world_.journal().ListAlerts(false, 10);
  for (const auto& row : *rows) {
    if (row.alert().fingerprint() == "f1") {
      EXPECT_EQ(row.incident_id() + " x" + std::to_string(row.count()), other + " x3");
    }
  }
}

TEST_F(EngineMovesTest, OfAStormAlsoWhatTheStateDoesNotKeep) {
  v1::Alert alert;
  alert.set_title("Pod fails");
  alert.set_subject("pods");
  alert.set_status(v1::ALERT_STATUS_FIRING);
  world_.configuration().system.add_services()->set_name("pods");
  world_.Restart();
  std::string id;
  for (int i = 0; i < kMaxAlertsInState + 10; ++i) {
    alert.set_fingerprint("pod" + std::to_string(i));
    world_.engine().IngestAlerts({alert}, [&](auto ingested) { id = ingested->front().incident_id; });
    world_.Pump();
  }
  const std::string last = alert.fingerprint();
  ASSERT_LT(FindAlert(world_.Recorded(id), last), 0);
  for (const bool after_restart : {false, true}) {
    if (after_restart) world_.Restart();
    EXPECT_TRUE(world_.Alert(last).duplicate || !after_restart) << "a restart forgets none";
    EXPECT_EQ(id, world_.Alert(last).incident_id);
  }
  const std::string other = Answer(Split(id, {last})).other_incident_id();
  EXPECT_EQ(world_.Recorded(other).alerts(0).fingerprint(), last);
  EXPECT_EQ(other, Clears(last));
  EXPECT_EQ(world_.Recorded(id).alert_counts().total(), kMaxAlertsInState + 9u);
  EXPECT_EQ(world_.journal().ListAlerts(false, 1'000)->size(), kMaxAlertsInState + 10u);
}

TEST_F(EngineMovesTest, WhatMakesNoSenseIsRefusedWithItsReason) {
  const std::string id = world_.Alert("f1").incident_id;
  const std::string ended = world_.Alert("f2").incident_id;
  v1::CommandIncidentRequest cancel;
  cancel.set_incident_id(ended);
  cancel.mutable_cancel();
  ASSERT_TRUE(world_.Command(cancel).ok());
  const std::vector<std::pair<v1::CommandIncidentRequest, const char*>> refused = {
      {Merge(id, id), "into itself"},
      {Merge(id, ""), "needs the incident"},
      {Merge(id, ended), "nothing can be merged into it"},
      {Merge(ended, id), "a merge means nothing"},
      {Merge(id, "INC-1999-01-01-001"), "no incident INC-1999-01-01-001"},
      {Split(id, {"f1"}), "at least one must stay"},
      {Split(id, {"f9"}), "has no alert with the fingerprint 'f9'"},
      {Split(id, {}), "1 to 1000 alerts"},
      {Split(ended, {"f2"}), "a split means nothing"},
  };
  const v1::Incident before = world_.Recorded(id);
  for (const auto& [request, why] : refused) {
    EXPECT_THAT(std::string(world_.Command(request).message()), HasSubstr(why));
  }
  EXPECT_EQ(before.sequence(), world_.Recorded(id).sequence()) << "a refusal leaves nothing behind";
  EXPECT_EQ(world_.engine().open_incidents(), 1u);
}

}  // namespace
}  // namespace omnix
