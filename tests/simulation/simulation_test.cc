// A bounded number of seeds with every run of the tests; more by hand (docs/testing.md).
#include "tests/simulation/simulation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "tests/simulation/report.h"

namespace omnix::simulation {
namespace {

#ifdef NDEBUG
constexpr uint64_t kSeeds = 10'000;
#else
// Debug and sanitizer builds are ten times slower.
constexpr uint64_t kSeeds = 1'500;
#endif

class SimulationTest : public testing::Test {
 protected:
  void SetUp() override { spdlog::set_level(spdlog::level::off); }
};

TEST_F(SimulationTest, TheSameSeedGivesTheSameTrace) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    const Outcome first = RunSeed(seed, /*keep_trace=*/false);
    const Outcome again = RunSeed(seed, /*keep_trace=*/true);
    EXPECT_EQ(first.trace_hash, again.trace_hash) << "seed " << seed;
    EXPECT_EQ(first.steps, again.steps) << "seed " << seed;
  }
}

// Three tests, so that they share the cores.
void RunSeeds(uint64_t first, uint64_t last) {
  Summary summary;
  for (uint64_t seed = first; seed <= last; ++seed) {
    const Outcome outcome = RunSeed(seed, /*keep_trace=*/false);
    summary.Add(outcome);
    if (outcome.broken.empty()) continue;
    PrintFailure(RunSeed(seed, /*keep_trace=*/true));
    FAIL() << "seed " << seed << ": " << outcome.broken;
  }
  EXPECT_THAT(summary.FaultsThatNeverHappened(), testing::IsEmpty());
}

TEST_F(SimulationTest, EveryPromiseHoldsForTheFirstThirdOfTheSeeds) { RunSeeds(1, kSeeds / 3); }
TEST_F(SimulationTest, EveryPromiseHoldsForTheSecondThirdOfTheSeeds) { RunSeeds(kSeeds / 3 + 1, 2 * kSeeds / 3); }
TEST_F(SimulationTest, EveryPromiseHoldsForTheLastThirdOfTheSeeds) { RunSeeds(2 * kSeeds / 3 + 1, kSeeds); }

}  // namespace
}  // namespace omnix::simulation
