#include "orchestrator/engine/pending_alerts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/time.h"

namespace omnix {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class PendingAlertsTest : public ::testing::Test {
 protected:
  PendingAlertsTest() {
    wanted_.set_count(3);
    *wanted_.mutable_within() = ToProto(absl::Minutes(10));
  }

  v1::Alert Alert(const std::string& fingerprint, absl::Time starts_at) {
    v1::Alert alert;
    alert.set_fingerprint(fingerprint);
    alert.set_title("alert " + fingerprint);
    alert.set_status(v1::ALERT_STATUS_FIRING);
    *alert.mutable_starts_at() = ToProto(starts_at);
    *alert.mutable_received_at() = ToProto(clock_.Now());
    return alert;
  }

  bool Fires(const std::string& fingerprint, const std::string& group = "g") {
    return pending_.Fires(Alert(fingerprint, clock_.Now()), "rule", group, wanted_, changes_);
  }

  std::vector<std::string> TakeGroup(const std::string& fingerprint) {
    std::vector<std::string> fingerprints;
    for (const auto& alert : pending_.TakeGroup(fingerprint, changes_))
      fingerprints.push_back(alert.alert.fingerprint());
    return fingerprints;
  }

  ManualClock clock_{absl::FromUnixSeconds(1'756'969'200)};
  v1::Occurrences wanted_;
  PendingAlerts pending_{clock_};
  PendingAlerts::Changes changes_;
};

TEST_F(PendingAlertsTest, AGroupIsCompleteWithItsOccurrences) {
  EXPECT_FALSE(Fires("a"));
  EXPECT_FALSE(Fires("x", "another group"));
  EXPECT_FALSE(Fires("b"));
  clock_.Advance(absl::Minutes(1));
  EXPECT_TRUE(Fires("a"));
  EXPECT_THAT(TakeGroup("a"), ElementsAre("a", "b"));
  EXPECT_EQ(pending_.Find("a"), nullptr);
  EXPECT_NE(pending_.Find("x"), nullptr);
  EXPECT_THAT(TakeGroup("a"), IsEmpty());
}

TEST_F(PendingAlertsTest, AFiringThatIsSentAgainCountsOnce) {
  const absl::Time start = clock_.Now();
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(pending_.Fires(Alert("a", start), "rule", "g", wanted_, changes_));
    clock_.Advance(absl::Minutes(1));
  }
  EXPECT_EQ(changes_.size(), 1u) << "nothing more to write";
  EXPECT_EQ(pending_.Find("a")->occurrences_size(), 1);
}

TEST_F(PendingAlertsTest, OnlyOccurrencesWithinTheTimeCount) {
  for (int i = 0; i < 6; ++i) {
    EXPECT_FALSE(Fires("a")) << i;
    clock_.Advance(absl::Minutes(6));
  }
  EXPECT_LE(pending_.Find("a")->occurrences_size(), 3);
}

TEST_F(PendingAlertsTest, IsForgottenOnceItsLastOccurrenceIsTooOld) {
  EXPECT_EQ(pending_.NextExpiry(), absl::InfiniteDuration());
  Fires("a");
  clock_.Advance(absl::Minutes(5));
  Fires("b");
  EXPECT_EQ(pending_.NextExpiry(), clock_.Monotonic() + absl::Minutes(5));
  clock_.Advance(absl::Minutes(5));
  changes_.clear();
  EXPECT_EQ(pending_.Expire(changes_), 1u);
  EXPECT_EQ(pending_.Find("a"), nullptr);
  EXPECT_NE(pending_.Find("b"), nullptr);
  ASSERT_EQ(changes_.size(), 1u);
  EXPECT_EQ(changes_[0].first, "a");
  EXPECT_FALSE(changes_[0].second.has_value());
}

TEST_F(PendingAlertsTest, OneThatClearedStillCounts) {
  Fires("a");
  v1::Alert cleared = Alert("a", clock_.Now());
  cleared.set_status(v1::ALERT_STATUS_RESOLVED);
  pending_.Clears(cleared, changes_);
  EXPECT_EQ(pending_.Find("a")->alert().status(), v1::ALERT_STATUS_RESOLVED);
  clock_.Advance(absl::Seconds(1));
  EXPECT_FALSE(Fires("a"));
  clock_.Advance(absl::Seconds(1));
  EXPECT_TRUE(Fires("a"));
}

TEST_F(PendingAlertsTest, GoesOnFromWhatTheJournalHas) {
  Fires("a");
  Fires("b");
  std::map<std::string, v1::PendingAlert> kept;
  for (const auto& [fingerprint, pending] : changes_) kept[fingerprint] = *pending;
  clock_.Advance(absl::Minutes(4));
  PendingAlerts again(clock_);
  again.Load({kept["a"], kept["b"]});
  EXPECT_EQ(again.NextExpiry(), clock_.Monotonic() + absl::Minutes(6));
  EXPECT_TRUE(again.Fires(Alert("c", clock_.Now()), "rule", "g", wanted_, changes_));
  const auto listed = ListPending({kept["a"], kept["b"]});
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].waiting_for(), "2 of 3 occurrences within 10m 00s, rule rule");
}

}  // namespace
}  // namespace omnix
