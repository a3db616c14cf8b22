#include "orchestrator/intake/alert_time.h"

#include <gtest/gtest.h>

#include "common/time.h"

namespace omnix {
namespace {

std::string Read(const Json& value) {
  const auto time = ReadAlertTime(value);
  if (!time.ok()) return "error";
  return time->has_value() ? omnix::FormatTime(**time) : "none";
}

TEST(AlertTime, ReadsHowMonitorsWriteIt) {
  for (const Json& same :
       {Json("2025-09-04T07:14:03.25Z"), Json("2025-09-04T09:14:03.250+02:00"), Json("2025-09-04T07:14:03.250+0000"),
        Json("2025-09-04 07:14:03.25"), Json("2025.09.04 07:14:03.25"), Json("2025-09-04 07:14:03.25 UTC"),
        Json("2025-09-04 07:14:03.25 +0000 UTC"), Json(1756970043.25), Json("1756970043.25"), Json(1756970043250),
        Json("1756970043250"), Json(1756970043250000), Json("1756970043250000000")}) {
    EXPECT_EQ(Read(same), "2025-09-04T07:14:03.250Z") << same;
  }
}

TEST(AlertTime, ReadsHowMailWritesIt) {
  EXPECT_EQ(Read("Thu, 04 Sep 2025 07:14:03 GMT"), "2025-09-04T07:14:03.000Z");
  EXPECT_EQ(Read("Thu, 04 Sep 2025 09:14:03 +0200"), "2025-09-04T07:14:03.000Z");
}

TEST(AlertTime, KnowsHowMonitorsGiveNone) {
  for (const Json& none : {Json(), Json(""), Json(0), Json("0"), Json("0001-01-01T00:00:00Z")}) {
    EXPECT_EQ(Read(none), "none") << none;
  }
}

TEST(AlertTime, RefusesTheRest) {
  for (const Json& bad : {Json("yesterday"), Json(true), Json::array(), Json(1e300), Json("2025-13-01T00:00:00Z"),
                          Json(std::string(100'000, '1')), Json("1.2.3"), Json("2025-09-04")}) {
    EXPECT_EQ(Read(bad), "error") << bad;
  }
}

// The last text is remembered.
TEST(AlertTime, ReadsEachTextForItself) {
  for (int round = 0; round < 2; ++round) {
    for (int again = 0; again < 2; ++again) EXPECT_EQ(Read("2025-09-04T07:14:03Z"), "2025-09-04T07:14:03.000Z");
    for (int again = 0; again < 2; ++again) EXPECT_EQ(Read("2025-09-04T07:14:03.5Z"), "2025-09-04T07:14:03.500Z");
    for (int again = 0; again < 2; ++again) EXPECT_EQ(Read("yesterday"), "error");
    EXPECT_EQ(Read(""), "none");
    EXPECT_EQ(Read(1756970043), "2025-09-04T07:14:03.000Z");
  }
}

}  // namespace
}  // namespace omnix
