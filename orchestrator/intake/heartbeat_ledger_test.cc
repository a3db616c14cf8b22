#include "orchestrator/intake/heartbeat_ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/time.h"

namespace omnix {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const absl::Time kWall = absl::FromUnixSeconds(1'757'000'000);

v1::AlertSources Sources() {
  v1::AlertSources sources;
  v1::AlertSource& source = *sources.add_sources();
  source.set_name("prom");
  *source.mutable_interval() = ToProto(absl::Seconds(60));
  *source.mutable_grace() = ToProto(absl::Seconds(10));
  source.set_severity(v1::SEVERITY_ERROR);
  source.set_service("checkout");
  source.set_format("alertmanager");
  return sources;
}

// "firing" or "resolved" of each alert that is due.
std::vector<std::string> Due(const HeartbeatLedger& ledger, absl::Duration now) {
  std::vector<std::string> due;
  for (const auto& alert : ledger.Due(now, kWall)) {
    due.emplace_back(alert.status() == v1::ALERT_STATUS_FIRING ? "firing" : "resolved");
  }
  return due;
}

void Tell(HeartbeatLedger& ledger, absl::Duration now) { ledger.Told(ledger.Due(now, kWall)); }

TEST(HeartbeatLedger, ASilentSourceIsAnAlertUntilItsNextSign) {
  HeartbeatLedger ledger(Sources(), {}, absl::Seconds(100));
  EXPECT_EQ(ledger.NextDue(), absl::Seconds(170));
  EXPECT_THAT(Due(ledger, absl::Seconds(169)), IsEmpty());
  ASSERT_THAT(Due(ledger, absl::Seconds(170)), ElementsAre("firing"));
  const v1::Alert alert = ledger.Due(absl::Seconds(170), kWall)[0];
  EXPECT_EQ(alert.fingerprint(), "heartbeat-prom");
  EXPECT_EQ(alert.subject(), "checkout");
  EXPECT_EQ(alert.severity(), v1::SEVERITY_ERROR);
  EXPECT_EQ(FromProto(alert.starts_at()), kWall);
  Tell(ledger, absl::Seconds(170));
  EXPECT_THAT(Due(ledger, absl::Seconds(171)), IsEmpty());
  EXPECT_EQ(ledger.NextDue(), absl::InfiniteDuration());

  ASSERT_TRUE(ledger.Sign("prom", absl::Seconds(200)).ok());
  ASSERT_THAT(Due(ledger, absl::Seconds(200)), ElementsAre("resolved"));
  Tell(ledger, absl::Seconds(200));
  EXPECT_EQ(ledger.NextDue(), absl::Seconds(270));
}

TEST(HeartbeatLedger, WhatCouldNotBeToldIsDueAgain) {
  HeartbeatLedger ledger(Sources(), {}, absl::ZeroDuration());
  EXPECT_THAT(Due(ledger, absl::Seconds(70)), ElementsAre("firing"));
  EXPECT_THAT(Due(ledger, absl::Seconds(71)), ElementsAre("firing"));
  // The sign comes first: nobody need hear of it.
  ASSERT_TRUE(ledger.Sign("prom", absl::Seconds(72)).ok());
  EXPECT_THAT(Due(ledger, absl::Seconds(72)), IsEmpty());
}

TEST(HeartbeatLedger, AfterARestartASignAndNotTheTimeEndsAnOverdueSource) {
  HeartbeatLedger ledger(Sources(), {"heartbeat-prom"}, absl::ZeroDuration());
  EXPECT_THAT(Due(ledger, absl::ZeroDuration()), IsEmpty());
  EXPECT_THAT(Due(ledger, absl::Seconds(100)), IsEmpty());
  ASSERT_TRUE(ledger.Sign("prom", absl::Seconds(101)).ok());
  EXPECT_THAT(Due(ledger, absl::Seconds(101)), ElementsAre("resolved"));
}

TEST(HeartbeatLedger, ABodyOfItsFormatIsASign) {
  HeartbeatLedger ledger(Sources(), {}, absl::ZeroDuration());
  EXPECT_FALSE(ledger.SignByFormat("grafana", absl::Seconds(60)));
  EXPECT_TRUE(ledger.SignByFormat("alertmanager", absl::Seconds(60)));
  EXPECT_THAT(Due(ledger, absl::Seconds(129)), IsEmpty());
  EXPECT_THAT(Due(ledger, absl::Seconds(130)), ElementsAre("firing"));
}

TEST(HeartbeatLedger, AnUnknownNameIsToldTheKnownOnes) {
  HeartbeatLedger ledger(Sources(), {}, absl::ZeroDuration());
  const absl::Status unknown = ledger.Sign("prmo", absl::ZeroDuration());
  EXPECT_TRUE(absl::IsNotFound(unknown));
  EXPECT_THAT(std::string(unknown.message()), HasSubstr("known: prom"));
}

}  // namespace
}  // namespace omnix
