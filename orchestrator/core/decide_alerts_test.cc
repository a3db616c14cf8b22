#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/json.h"
#include "common/time.h"
#include "orchestrator/core/evolve_alerts.h"
#include "orchestrator/core/incident_fixture.h"

namespace omnix {
namespace {

using ::testing::HasSubstr;
using testing::Story;

constexpr auto kFiring = v1::ALERT_STATUS_FIRING;
constexpr auto kResolved = v1::ALERT_STATUS_RESOLVED;
constexpr char kAlice[] = "operator:alice";

v1::Alert Alert(const std::string& fingerprint, v1::AlertStatus status = kFiring,
                v1::Severity severity = v1::SEVERITY_ERROR) {
  v1::Alert alert;
  alert.set_fingerprint(fingerprint);
  alert.set_title("alert " + fingerprint);
  alert.set_status(status);
  alert.set_severity(severity);
  return alert;
}

v1::AlertKey Key(const std::string& fingerprint, v1::AlertStatus status, v1::Severity severity = v1::SEVERITY_ERROR) {
  v1::AlertKey key;
  key.set_fingerprint(fingerprint);
  key.set_status(status);
  key.set_severity(severity);
  return key;
}

command::AttachAlert Flaps(const v1::Alert& alert) {
  return {alert, std::nullopt, command::Flap{7, absl::Minutes(10), absl::Minutes(5)}};
}

void ExpectReplays(const Story& story) {
  v1::Incident replayed;
  for (const auto& event : story.events) Evolve(replayed, event);
  EXPECT_EQ(SerializeDeterministically(story.incident), SerializeDeterministically(replayed));
}

TEST(ManyAlertsTest, AllAreCountedAndABoundedNumberIsKept) {
  constexpr int kMany = 3 * kMaxAlertsInState;
  Story story = testing::Investigating();
  for (int i = 0; i < kMany; ++i) {
    const bool warning = i < kMaxAlertsInState;
    story.Do(command::AttachAlert{Alert("many" + std::to_string(i), i % 2 == 0 ? kFiring : kResolved,
                                        warning ? v1::SEVERITY_WARNING : v1::SEVERITY_CRITICAL),
                                  v1::AlertKey()});
  }
  const v1::AlertCounts& counts = story.incident.alert_counts();
  EXPECT_EQ(counts.total(), kMany + 1u);
  EXPECT_EQ(counts.firing(), kMany / 2 + 1u);
  EXPECT_EQ(counts.resolved(), kMany / 2u);
  EXPECT_EQ(counts.warning(), static_cast<uint32_t>(kMaxAlertsInState));
  EXPECT_EQ(counts.error(), 1u);
  EXPECT_EQ(counts.critical(), 2u * kMaxAlertsInState);
  EXPECT_EQ(story.incident.severity(), v1::SEVERITY_CRITICAL);
  EXPECT_EQ(story.incident.alerts_size(), kMaxAlertsInState);
  EXPECT_EQ(story.incident.alerts(0).fingerprint(), "f1") << "the one that it began with stays";
  for (int i = 1; i < kMaxAlertsInState; ++i) {
    EXPECT_EQ(story.incident.alerts(i).status(), kFiring) << "what fires stays before what has cleared";
    EXPECT_EQ(story.incident.alerts(i).severity(), v1::SEVERITY_CRITICAL);
  }
  ExpectReplays(story);
}

TEST(ManyAlertsTest, TheIncidentIsValidatedOnceThoseHaveClearedThatTheStateDoesNotKeep) {
  constexpr int kMany = kMaxAlertsInState + 50;
  Story story = testing::Investigating();
  for (int i = 0; i < kMany; ++i) story.Do(command::AttachAlert{Alert("many" + std::to_string(i)), v1::AlertKey()});
  story.Do(command::AttachAlert{Alert("f1", kResolved)});
  for (int i = 0; i < kMany; ++i) {
    EXPECT_EQ(story.incident.phase(), v1::PHASE_INVESTIGATING) << i;
    const std::string fingerprint = "many" + std::to_string(i);
    story.Do(command::AttachAlert{Alert(fingerprint, kResolved), Key(fingerprint, kFiring)});
  }
  EXPECT_EQ(story.incident.alert_counts().firing(), 0u);
  EXPECT_EQ(story.incident.phase(), v1::PHASE_VALIDATING);
  ExpectReplays(story);
}

TEST(ManyAlertsTest, EventsOfOlderVersionsAreCountedByWhatTheStateKeeps) {
  Story story = testing::Investigating();
  story.Do(command::AttachAlert{Alert("f2")}).Do(command::AttachAlert{Alert("f1", kResolved)});
  v1::Incident replayed;
  for (auto event : story.events) {
    if (event.has_alert_attached()) event.mutable_alert_attached()->clear_counts();
    Evolve(replayed, event);
  }
  EXPECT_EQ(SerializeDeterministically(story.incident), SerializeDeterministically(replayed));
}

TEST(ClearedTest, AnAlertThatFiresAgainBeforeTheIncidentIsResolvedBringsItBack) {
  const auto cleared = [] {
    return testing::Investigating().Do(command::AttachAlert{Alert("f1", kResolved)}).Assign();
  };
  Story validating = cleared().Do(command::AttachAlert{Alert("f1")});
  EXPECT_EQ(validating.incident.phase(), v1::PHASE_VALIDATING) << "what is under way comes to its end";
  validating.Finish(testing::VerdictOf(true));
  EXPECT_EQ(validating.incident.phase(), v1::PHASE_INVESTIGATING);
  ExpectReplays(validating);

  Story documenting = cleared().Finish(testing::VerdictOf(true)).Assign().Do(command::AttachAlert{Alert("f1")});
  EXPECT_EQ(documenting.incident.phase(), v1::PHASE_DOCUMENTING);
  documenting.Finish(testing::DocumentOf());
  EXPECT_EQ(documenting.incident.phase(), v1::PHASE_INVESTIGATING);
  ExpectReplays(documenting);

  const Story quiet = cleared().Finish(testing::VerdictOf(true)).Assign().Finish(testing::DocumentOf());
  EXPECT_EQ(quiet.incident.phase(), v1::PHASE_RESOLVED);
}

// A recovery in Validating; f1 cleared with it.
Story ValidatingAndCleared() { return testing::Validating().Do(command::AttachAlert{Alert("f1", kResolved)}); }

v1::Alert FiringSince(const std::string& fingerprint, absl::Time begun) {
  v1::Alert alert = Alert(fingerprint);
  *alert.mutable_starts_at() = ToProto(begun);
  return alert;
}

TEST(FiresAgainTest, WhatBeganAfterTheFixIsInvestigatedAndTheValidatedFixStays) {
  for (const char* fingerprint : {"f1", "f2"}) {
    Story story = ValidatingAndCleared();
    story.Do(command::AttachAlert{FiringSince(fingerprint, story.now)}).Finish(testing::VerdictOf(true));
    EXPECT_EQ(story.incident.phase(), v1::PHASE_INVESTIGATING) << fingerprint;
    EXPECT_EQ(story.incident.recoveries(0).outcome(), "validated");
    EXPECT_TRUE(story.incident.recoveries(0).kept());
    EXPECT_TRUE(story.incident.resources().empty());
    ExpectReplays(story);
    // Nothing is wrong: the same alert is no news a second time.
    v1::Product nothing = testing::DiagnosisOf({});
    nothing.mutable_diagnosis()->set_nothing_wrong(true);
    story.Assign().Finish(nothing).Assign().Finish(testing::VerdictOf(true)).Assign().Finish(testing::DocumentOf());
    EXPECT_EQ(story.incident.phase(), v1::PHASE_RESOLVED) << fingerprint;
    ExpectReplays(story);
  }
}

TEST(FiresAgainTest, AnotherCauseIsRecoveredWithoutUndoingTheFormerFix) {
  Story story = ValidatingAndCleared();
  story.Do(command::AttachAlert{FiringSince("f1", story.now)}).Finish(testing::VerdictOf(true));
  story.Assign().Finish(testing::DiagnosisOf({"e2"}));
  EXPECT_EQ(story.incident.phase(), v1::PHASE_RECOVERING);
  EXPECT_EQ(story.incident.recoveries_size(), 2);
  EXPECT_TRUE(story.incident.rollback_by().empty());
  ExpectReplays(story);
}

TEST(FiresAgainTest, ThePlaybooksLimitOfRecoveriesHolds) {
  Story story = testing::Planning({"x1"});
  const uint32_t limit = story.incident.limits().max_recoveries();
  ASSERT_GT(limit, 1u);
  for (uint32_t i = 1; i <= limit; ++i) {
    SCOPED_TRACE(i);
    const std::string plan = "hash" + std::to_string(i);
    story.Finish(testing::PlanOf(plan)).Do(command::DecidePolicy{plan, v1::POLICY_DECISION_ASK, "default", ""});
    story.Do(command::Approve{plan, kAlice, ""}).Do(command::LockResources{}).Assign();
    story.Finish(testing::ApplicationOf(plan, true)).Assign();
    story.Do(command::AttachAlert{Alert("f1", kResolved)}).Do(command::AttachAlert{FiringSince("f1", story.now)});
    story.Finish(testing::VerdictOf(true));
    ASSERT_EQ(story.incident.phase(), v1::PHASE_INVESTIGATING);
    story.Assign().Finish(testing::DiagnosisOf({"x1"}));
    if (i < limit) story.Assign();
  }
  EXPECT_EQ(story.incident.phase(), v1::PHASE_ESCALATED);
  EXPECT_THAT(story.incident.ended_reason(), HasSubstr("the playbook allows no more"));
  ExpectReplays(story);
}

TEST(FiresAgainTest, WhileTheReportIsWrittenItCountsAsWell) {
  Story story = ValidatingAndCleared().Finish(testing::VerdictOf(true)).Assign();
  ASSERT_EQ(story.incident.phase(), v1::PHASE_DOCUMENTING);
  story.Do(command::AttachAlert{FiringSince("f1", story.now)}).Finish(testing::DocumentOf());
  EXPECT_EQ(story.incident.phase(), v1::PHASE_INVESTIGATING);
  EXPECT_TRUE(story.incident.recoveries(0).kept());
  ExpectReplays(story);
}

TEST(FiresAgainTest, NewsOfBeforeTheFixAndAlertsThatNeverClearedDoNotHoldUpTheEnd) {
  const auto ends = [](Story story) { return story.Finish(testing::VerdictOf(true)).incident.phase(); };
  EXPECT_EQ(ends(testing::Validating()), v1::PHASE_DOCUMENTING) << "its monitor looks later";
  Story late = ValidatingAndCleared();
  const absl::Time before =
      FromProto(late.incident.visits(late.incident.visits_size() - 1).entered_at()) - absl::Seconds(1);
  EXPECT_EQ(ends(late.Do(command::AttachAlert{FiringSince("f2", before)})), v1::PHASE_DOCUMENTING);
  Story cleared = ValidatingAndCleared();
  cleared.Do(command::AttachAlert{FiringSince("f2", cleared.now)}).Do(command::AttachAlert{Alert("f2", kResolved)});
  EXPECT_EQ(ends(cleared), v1::PHASE_DOCUMENTING);
  Story worse = testing::Validating().Do(command::AttachAlert{FiringSince("f2", before)});
  v1::Alert alert = FiringSince("f2", worse.now);
  alert.set_severity(v1::SEVERITY_CRITICAL);
  EXPECT_EQ(ends(worse.Do(command::AttachAlert{alert})), v1::PHASE_DOCUMENTING) << "it fired all along";
}

TEST(FiresAgainTest, OneThatFlapsIsBelievedWhenItIsSteady) {
  Story story = ValidatingAndCleared();
  story.Do(Flaps(FiringSince("f1", story.now))).Finish(testing::VerdictOf(true));
  EXPECT_EQ(story.incident.phase(), v1::PHASE_DOCUMENTING);
}

TEST(AlertTimesTest, AnEndThatDoesNotTellTheBeginningLeavesItAsItWas) {
  const auto at = [](int64_t second) { return ToProto(absl::FromUnixSeconds(second)); };
  Story story = testing::Investigating();
  v1::Alert alert = Alert("f2");
  *alert.mutable_starts_at() = at(100);
  story.Do(command::AttachAlert{alert});
  alert.set_status(kResolved);
  *alert.mutable_starts_at() = at(210);
  *alert.mutable_ends_at() = at(200);
  story.Do(command::AttachAlert{alert});
  EXPECT_EQ(story.incident.alerts(1).starts_at().seconds(), 100);
  EXPECT_EQ(story.incident.alerts(1).ends_at().seconds(), 200);
  *alert.mutable_starts_at() = at(150);
  story.Do(command::AttachAlert{alert});
  EXPECT_EQ(story.incident.alerts(1).starts_at().seconds(), 150) << "what is told counts";
  ExpectReplays(story);
}

TEST(FlappingTest, CountsAsFiringAndHasNoEffectUntilItIsQuiet) {
  Story story = testing::Investigating().Do(Flaps(Alert("f1", kResolved)));
  EXPECT_EQ(story.incident.phase(), v1::PHASE_INVESTIGATING) << "its clearing is not believed";
  EXPECT_EQ(story.incident.alert_counts().firing(), 1u);
  ASSERT_EQ(story.incident.flapping_size(), 1);
  EXPECT_EQ(story.incident.flapping(0).changes(), 7u);
  EXPECT_EQ(story.incident.flapping(0).status(), kResolved);
  story.Do(command::AttachAlert{Alert("f1", kFiring)}).Do(command::AttachAlert{Alert("f1", kResolved)});
  EXPECT_EQ(story.incident.flapping(0).changes(), 9u);
  EXPECT_EQ(story.incident.alerts(0).status(), kFiring);
  const absl::Time last_change = story.now - absl::Seconds(1);
  const Effects effects = DeriveEffects(story.incident, story.playbook, story.now);
  const auto timer = std::find_if(effects.timers.begin(), effects.timers.end(),
                                  [](const Timer& t) { return t.kind == TimerKind::kSettle; });
  ASSERT_NE(timer, effects.timers.end());
  EXPECT_EQ(timer->at, last_change + absl::Minutes(5));
  EXPECT_EQ(timer->subject, "f1");
  story.Do(command::SettleAlert{"f1"});
  EXPECT_EQ(story.incident.flapping_size(), 0);
  EXPECT_EQ(story.incident.alert_counts().resolved(), 1u);
  EXPECT_EQ(story.incident.alerts(0).status(), kResolved);
  EXPECT_EQ(FromProto(story.incident.alerts(0).ends_at()), last_change);
  EXPECT_EQ(story.incident.phase(), v1::PHASE_VALIDATING) << "now it has cleared";
  EXPECT_FALSE(story.Try(command::SettleAlert{"f1"}).ok());
  ExpectReplays(story);
}

TEST(FlappingTest, OneThatSettlesFiringChangesNothing) {
  Story story = testing::Investigating()
                    .Do(Flaps(Alert("f1", kResolved)))
                    .Do(command::AttachAlert{Alert("f1", kFiring)})
                    .Do(command::SettleAlert{"f1"});
  EXPECT_EQ(story.incident.phase(), v1::PHASE_INVESTIGATING);
  EXPECT_EQ(story.incident.alert_counts().firing(), 1u);
  ExpectReplays(story);
}

TEST(FlappingTest, OnlySoManyAreDamped) {
  Story story = testing::Investigating();
  for (int i = 0; i < kMaxFlappingInState + 5; ++i) story.Do(Flaps(Alert("flap" + std::to_string(i))));
  EXPECT_EQ(story.incident.flapping_size(), kMaxFlappingInState);
  EXPECT_EQ(story.incident.alert_counts().total(), kMaxFlappingInState + 6u);
  ExpectReplays(story);
}

TEST(ReopenTest, AResolvedIncidentIsInvestigatedAgainWithANewBudgetAndKeepsItsProvenChange) {
  Story story = testing::Resolved();
  const absl::Duration budget = FromProto(story.incident.budget_until()) - FromProto(story.incident.opened_at());
  story.now += absl::Hours(30);
  const absl::Time at = story.now;
  story.Do(command::Reopen{"alert f1 fires again"}).Do(command::AttachAlert{Alert("f1")});
  EXPECT_EQ(story.incident.phase(), v1::PHASE_INVESTIGATING);
  EXPECT_FALSE(story.incident.has_resolved_at());
  EXPECT_EQ(story.incident.reopened(), 1u);
  EXPECT_EQ(FromProto(story.incident.budget_until()), at + budget);
  // What was proven to work is not rolled back because of a failure of now...
  story.Assign().Finish(testing::DiagnosisOf({}));
  EXPECT_EQ(story.incident.phase(), v1::PHASE_ESCALATED);
  EXPECT_TRUE(Story(story).Try(command::Resume{kAlice, ""}).ok());
  // ...but people may do so.
  EXPECT_TRUE(story.Try(command::RequestRollback{kAlice, ""}).ok());
  EXPECT_FALSE(story.Try(command::Resume{kAlice, ""}).ok());
  ExpectReplays(story);
}

TEST(ReopenTest, OnlyWhatWasResolvedIs) {
  for (Story story : {testing::Investigating(), testing::Cancelled(), testing::Escalated()}) {
    EXPECT_FALSE(story.Try(command::Reopen{"alert f1 fires again"}).ok());
  }
}

TEST(MergeTest, TheOneTakesAllAlertsAndTheOtherEnds) {
  Story from = testing::Investigating()
                   .Do(command::AttachAlert{Alert("f2", kFiring, v1::SEVERITY_CRITICAL)})
                   .Do(Flaps(Alert("f3", kResolved)));
  Story into;
  command::Open open = testing::OpenCommand();
  open.id = "INC-2025-09-04-002";
  open.alerts = {Alert("g1", kFiring, v1::SEVERITY_WARNING)};
  into.Do(open).Do(TakeAllOf(from.incident, kAlice, "one cause"));
  from.Do(command::MergeInto{into.incident.id(), kAlice, "one cause"});
  EXPECT_EQ(into.incident.alert_counts().ShortDebugString(),
            "total: 4 firing: 3 resolved: 1 critical: 1 error: 2 warning: 1");
  EXPECT_EQ(into.incident.severity(), v1::SEVERITY_CRITICAL);
  EXPECT_EQ(into.incident.alerts_size(), 4);
  ASSERT_EQ(into.incident.related_size(), 1);
  EXPECT_EQ(into.incident.related(0).incident_id(), from.incident.id());
  EXPECT_EQ(into.incident.related(0).relation(), v1::RELATION_MERGED_FROM);
  EXPECT_EQ(from.incident.phase(), v1::PHASE_CANCELLED);
  EXPECT_EQ(from.incident.ended_reason(), "merged into INC-2025-09-04-002");
  EXPECT_EQ(from.incident.alert_counts().total(), 0u);
  EXPECT_EQ(from.incident.related(0).relation(), v1::RELATION_MERGED_INTO);
  EXPECT_FALSE(from.Try(command::MergeInto{into.incident.id(), kAlice, ""}).ok());
  ExpectReplays(from);
  ExpectReplays(into);
}

TEST(MergeTest, RefusedWhereSomethingIsChangedOrIsOver) {
  for (Story story : {testing::Applying(), testing::Validating(), testing::RollingBack(), testing::EscalatedInEffect(),
                      testing::EscalatedRollingBack(), testing::Resolved(), testing::Cancelled()}) {
    EXPECT_FALSE(story.Try(command::MergeInto{"INC-2", kAlice, ""}).ok()) << story.incident.phase();
    EXPECT_FALSE(story.Try(command::SplitOff{"INC-2", {Key("f1", kFiring)}, kAlice, ""}).ok());
  }
  const auto refused = testing::Applying().Try(command::MergeInto{"INC-2", kAlice, ""}).status();
  EXPECT_THAT(std::string(refused.message()), HasSubstr("recovery is under way or in effect"));
  Story escalated = testing::Escalated();
  EXPECT_TRUE(escalated.Try(command::MergeInto{"INC-2", kAlice, ""}).ok());
}

TEST(SplitTest, SomeAlertsGoAndTheSeverityIsThatOfTheRest) {
  Story story = testing::Investigating().Do(command::AttachAlert{Alert("f2", kFiring, v1::SEVERITY_CRITICAL)});
  story.Do(command::SplitOff{"INC-2", {Key("f2", kFiring, v1::SEVERITY_CRITICAL)}, kAlice, "another cause"});
  EXPECT_EQ(story.incident.alert_counts().ShortDebugString(), "total: 1 firing: 1 error: 1");
  EXPECT_EQ(story.incident.severity(), v1::SEVERITY_ERROR);
  EXPECT_EQ(story.incident.alerts_size(), 1);
  EXPECT_EQ(story.incident.related(0).relation(), v1::RELATION_SPLIT_INTO);
  EXPECT_FALSE(story.Try(command::SplitOff{"INC-3", {Key("f1", kFiring)}, kAlice, ""}).ok()) << "one must stay";
  EXPECT_FALSE(story.Try(command::SplitOff{"INC-3", {}, kAlice, ""}).ok()) << "one must go";
  ExpectReplays(story);
}

TEST(SplitTest, WhereOnlyClearedAlertsStayTheIncidentIsValidated) {
  Story story = testing::Investigating()
                    .Do(command::AttachAlert{Alert("f2")})
                    .Do(command::AttachAlert{Alert("f1", kResolved)})
                    .Do(command::SplitOff{"INC-2", {Key("f2", kFiring)}, kAlice, ""});
  EXPECT_EQ(story.incident.phase(), v1::PHASE_VALIDATING);
  ExpectReplays(story);
}

}  // namespace
}  // namespace omnix
