#ifndef OMNIX_CRASH_POINTS
#define OMNIX_CRASH_POINTS
#endif
#include "common/crash_point.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

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

void Fault() {
  setenv("OMNIX_FAULT_AT", "a.fault:2", 1);
  int faults = 0;
  for (int i = 0; i < 4; ++i) faults = 10 * faults + (OMNIX_FAULT_POINT("a.fault") ? 1 : 0);
  _exit(faults == 100 ? 0 : 1);
}

TEST(CrashPointTest, AFaultHappensOnceAtTheNamedPass) {
  EXPECT_FALSE(OMNIX_FAULT_POINT("a.fault"));
  EXPECT_EXIT(Fault(), testing::ExitedWithCode(0), "");
}

TEST(CrashPointTest, TracesWhatIsPassed) {
  const std::string file = testing::TempDir() + "/trace-" + std::to_string(getpid());
  setenv("OMNIX_CRASH_TRACE", file.c_str(), 1);
  EXPECT_EXIT(Pass("a.point:2", 2), testing::KilledBySignal(SIGKILL), "");
  unsetenv("OMNIX_CRASH_TRACE");
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  std::filesystem::remove(file);
  EXPECT_EQ(text.str(), "a.point\na.point\n");
}

}  // namespace
}  // namespace omnix
