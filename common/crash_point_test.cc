#ifndef OMNIX_CRASH_POINTS
#define OMNIX_CRASH_POINTS
#endif
#include "common/crash_point.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

namespace omnix {
namespace {

void Pass(const char* wanted, int times) {
  setenv("OMNIX_CRASH_AT", wanted, 1);
  for (int i = 0; i < times; ++i) OMNIX_CRASH_POINT("a.point");
  _exit(0);
}

TEST(CrashPointTest, KillsAtTheNamedPass) {
  EXPECT_EXIT(Pass("a.point", 1), testing::KilledBySignal(SIGKILL), "");
  EXPECT_EXIT(Pass("a.point:3", 3), testing::KilledBySignal(SIGKILL), "");
}

TEST(CrashPointTest, PassesOtherwise) {
  EXPECT_EXIT(Pass("a.point:3", 2), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(Pass("b.point", 2), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(Pass("a.poin", 2), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace omnix
