#include "orchestrator/intake/poll_ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/time.h"

namespace omnix {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const absl::Time kNow = absl::FromUnixSeconds(1'756'970'043);

v1::Alert Firing(const std::string& fingerprint, absl::Time since = kNow) {
  v1::Alert alert;
  alert.set_fingerprint(fingerprint);
  alert.set_status(v1::ALERT_STATUS_FIRING);
  *alert.mutable_starts_at() = ToProto(since);
  return alert;
}

// "a" fires, "-a" has ended. What is due counts as kept.
std::vector<std::string> Tell(PollLedger& ledger, const PollReading& reading) {
  const std::vector<v1::Alert> due = ledger.Due(reading, kNow);
  ledger.Took(due);
  std::vector<std::string> told;
  for (const v1::Alert& alert : due) {
    const bool ended = alert.status() == v1::ALERT_STATUS_RESOLVED;
    EXPECT_EQ(alert.has_ends_at(), ended);
    told.push_back((ended ? "-" : "") + alert.fingerprint());
  }
  return told;
}

TEST(PollLedger, TellsEachOnceAndItsEndAfterTwoReadingsWithoutIt) {
  PollLedger ledger;
  const PollReading both{{Firing("a"), Firing("b")}};
  EXPECT_THAT(Tell(ledger, both), ElementsAre("a", "b"));
  EXPECT_THAT(Tell(ledger, both), IsEmpty());
  const PollReading one{{Firing("b")}};
  EXPECT_TRUE(ledger.Misses(one));
  EXPECT_THAT(Tell(ledger, one), IsEmpty());
  EXPECT_THAT(Tell(ledger, one), ElementsAre("-a"));
  EXPECT_FALSE(ledger.Misses(one));
  EXPECT_THAT(Tell(ledger, both), ElementsAre("a")) << "it fires again";
  EXPECT_EQ(ledger.firing(), 2u);
}

TEST(PollLedger, OneReadingWithoutAnAlertEndsNothing) {
  PollLedger ledger;
  const PollReading one{{Firing("a")}};
  EXPECT_THAT(Tell(ledger, one), ElementsAre("a"));
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(Tell(ledger, {}), IsEmpty());
    EXPECT_THAT(Tell(ledger, one), IsEmpty());
  }
}

TEST(PollLedger, HeldAlertsNeitherBeginNorEnd) {
  PollLedger ledger;
  EXPECT_THAT(Tell(ledger, {{Firing("a")}}), ElementsAre("a"));
  const PollReading silenced{{}, {"a", "b"}};
  EXPECT_FALSE(ledger.Misses(silenced));
  for (int i = 0; i < 3; ++i) EXPECT_THAT(Tell(ledger, silenced), IsEmpty());
  EXPECT_EQ(ledger.firing(), 1u);
}

TEST(PollLedger, AMonitorThatHasJustStartedEndsNothing) {
  PollLedger ledger;
  EXPECT_THAT(Tell(ledger, {{Firing("a")}}), ElementsAre("a"));
  PollReading starting;
  starting.settled = false;
  for (int i = 0; i < 3; ++i) EXPECT_THAT(Tell(ledger, starting), IsEmpty());
  EXPECT_THAT(Tell(ledger, {}), IsEmpty()) << "the first reading that counts";
  EXPECT_THAT(Tell(ledger, {}), ElementsAre("-a"));
}

TEST(PollLedger, ChangesAndRepetitionsAreTold) {
  PollLedger ledger;
  EXPECT_THAT(Tell(ledger, {{Firing("a"), Firing("b")}}), ElementsAre("a", "b"));
  v1::Alert worse = Firing("a");
  worse.set_severity(v1::SEVERITY_CRITICAL);
  EXPECT_THAT(Tell(ledger, {{worse, Firing("b", kNow + absl::Seconds(1))}}), ElementsAre("a", "b"));
  PollReading repeat{{worse, Firing("b", kNow + absl::Seconds(1))}};
  EXPECT_THAT(Tell(ledger, repeat), IsEmpty());
  repeat.repeat = true;
  EXPECT_THAT(Tell(ledger, repeat), ElementsAre("a", "b"));
}

TEST(PollLedger, WhatWasNotKeptIsDueAgain) {
  PollLedger ledger;
  ledger.Restore(Firing("gone"));
  const PollReading reading{{Firing("a")}};
  EXPECT_EQ(ledger.Due(reading, kNow).size(), 1u);
  EXPECT_EQ(ledger.Due(reading, kNow).size(), 2u) << "and the end of the restored one";
  EXPECT_THAT(Tell(ledger, reading), ElementsAre("a", "-gone"));
  EXPECT_THAT(Tell(ledger, reading), IsEmpty());
}

}  // namespace
}  // namespace omnix
