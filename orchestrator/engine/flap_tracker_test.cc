#include "orchestrator/engine/flap_tracker.h"

#include <gtest/gtest.h>

namespace omnix {
namespace {

constexpr absl::Duration kWithin = absl::Minutes(10);

TEST(FlapTrackerTest, CountsTheChangesOfAnAlertWithinTheTime) {
  FlapTracker tracker;
  absl::Time now = absl::FromUnixSeconds(1'756'969'200);
  for (uint32_t i = 1; i <= 5; ++i) {
    EXPECT_EQ(tracker.Changed("f1", now, kWithin), i);
    EXPECT_EQ(tracker.Changed("f" + std::to_string(i + 1), now, kWithin), 1u);
    now += absl::Minutes(2);
  }
  now += absl::Minutes(2);
  EXPECT_EQ(tracker.Changed("f1", now, kWithin), 5u) << "one is too old";
  EXPECT_EQ(tracker.Changed("f1", now + absl::Hours(1), kWithin), 1u);
}

TEST(FlapTrackerTest, ForgetsThoseThatDidNotChangeTheLongest) {
  FlapTracker tracker;
  const absl::Time now = absl::FromUnixSeconds(1'756'969'200);
  tracker.Changed("old", now, kWithin);
  tracker.Changed("again", now, kWithin);
  for (size_t i = 1; i < FlapTracker::kMaxTracked; ++i) {
    tracker.Changed("f" + std::to_string(i), now, kWithin);
    if (i == 1) tracker.Changed("again", now, kWithin);
  }
  EXPECT_EQ(tracker.Changed("again", now, kWithin), 3u);
  EXPECT_EQ(tracker.Changed("old", now, kWithin), 1u);
}

}  // namespace
}  // namespace omnix
