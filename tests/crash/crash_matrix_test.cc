// Each program dies at each of its crash points, in the middle of the load; then everything must be there, once.
// OMNIX_CRASH_SEEDS=20 goes through the points so many times, with other passes of each.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <regex>
#include <set>
#include <sstream>

#include "tests/crash/check.h"
#include "tests/crash/story.h"
#include "tests/support/stack.h"

namespace omnix::testing {
namespace {

// Of the passes of a run without a death the later ones may not come in every run.
constexpr double kShareOfPasses = 0.6;

int Seeds() {
  const char* text = std::getenv("OMNIX_CRASH_SEEDS");
  return text == nullptr ? 1 : std::max(1, std::atoi(text));
}

// All crash points that are compiled into the program; it prints them itself.
std::vector<std::string> PointsOf(const std::string& program) {
  TemporaryFolder folder;
  Program listing({ProgramPath(program)}, folder / "points", {{"OMNIX_CRASH_LIST", "1"}});
  EXPECT_TRUE(WaitUntil([&] { return !listing.IsRunning(); }));
  std::istringstream lines(Slurp(folder / "points"));
  std::set<std::string> points;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("fault:")) points.insert(line);
  }
  return {points.begin(), points.end()};
}

struct Chance {
  Plot plot;
  int life;
  int passes;
};

// The points of a program, or a part of them, so that CTest can run the parts side by side.
struct Share {
  std::string name;
  std::string program;
  size_t part = 0;
  size_t parts = 1;
};

void PrintTo(const Share& share, std::ostream* out) { *out << share.name; }

class Matrix {
 public:
  explicit Matrix(const Share& share) : program_(share.program), share_(share) {}

  void Run() {
    Profile(Plot::kPlain);
    std::vector<std::string> points = PointsOf(program_);
    // Passed by alert_moves_test.cc.
    std::erase_if(points, [](const std::string& point) { return point.starts_with("alerts."); });
    ASSERT_FALSE(points.empty());
    if (program_ == kOmnixd) {
      Profile(Plot::kCommitToldFailed);
      Profile(Plot::kSilentAgent);
      Profile(Plot::kLongLog);
    }
    for (int seed = 0; seed < Seeds(); ++seed) {
      for (size_t i = share_.part; i < points.size(); i += share_.parts) DieAt(points[i], seed);
    }
  }

 private:
  // A run without a death: it must end well, and tells how often each point is passed.
  void Profile(Plot plot) {
    const Story story{.plot = plot, .death = std::nullopt};
    SCOPED_TRACE(Describe(story));
    CrashWorld world;
    const Told told = Tell(story, world, Tracing::kYes);
    CheckTheEnd(story, told, world);
    for (const auto& [key, passes] : told.passes) {
      if (key.first != program_) continue;
      for (const auto& [point, count] : passes) chances_[point].push_back({plot, key.second, count});
    }
  }

  void DieAt(const std::string& point, int seed) {
    const auto chances = chances_.find(point);
    if (chances == chances_.end()) {
      ADD_FAILURE() << program_ << " never passes " << point;
      return;
    }
    std::seed_seq seeds(point.begin(), point.end());
    std::mt19937 random(seeds);
    random.discard(static_cast<unsigned>(2 * seed));
    const size_t first = random() % chances->second.size();
    for (size_t i = 0; i < chances->second.size(); ++i) {
      // Some passes depend on the moment: where one did not come this time, another plot or life may have it.
      if (DieBy(point, chances->second[(first + i) % chances->second.size()], static_cast<unsigned>(random()))) return;
    }
    ADD_FAILURE() << program_ << " does not die at " << point;
  }

  bool DieBy(const std::string& point, const Chance& chance, unsigned number) const {
    const int most = std::max(1, static_cast<int>(chance.passes * kShareOfPasses));
    const int count = 1 + static_cast<int>(number % static_cast<unsigned>(most));
    Story story{.plot = chance.plot, .death = Death{program_, chance.life, point, count}};
    if (DieIn(story)) return true;
    story.death->count = 1;
    return count > 1 && DieIn(story);
  }

  static bool DieIn(const Story& story) {
    SCOPED_TRACE(Describe(story));
    CrashWorld world;
    const Told told = Tell(story, world, Tracing::kNo);
    CheckTheEnd(story, told, world);
    return told.died;
  }

  const std::string program_;
  const Share share_;
  std::map<std::string, std::vector<Chance>> chances_;
};

class CrashMatrix : public ::testing::TestWithParam<Share> {};

TEST_P(CrashMatrix, NothingIsLostOrDoneTwice) { Matrix(GetParam()).Run(); }

INSTANTIATE_TEST_SUITE_P(Programs, CrashMatrix,
                         ::testing::Values(Share{"Omnixd1", kOmnixd, 0, 3}, Share{"Omnixd2", kOmnixd, 1, 3},
                                           Share{"Omnixd3", kOmnixd, 2, 3}, Share{"RecoveryAgent", kRecovery},
                                           Share{"AgentOnTheSdk", kScript}),
                         [](const auto& share) { return share.param.name; });

// A point that is taken away must be missed.
TEST(CrashPoints, AreEnough) {
  constexpr size_t kOmnixdPoints = 60;
  constexpr size_t kRecoveryPoints = 25;
  constexpr size_t kLinkPoints = 10;
  EXPECT_GE(PointsOf(kOmnixd).size(), kOmnixdPoints);
  EXPECT_GE(PointsOf(kRecovery).size(), kRecoveryPoints + kLinkPoints);
  EXPECT_GE(PointsOf(kScript).size(), kLinkPoints);
}

// CMake looks for the points when it configures: one in a file that had none before comes in with the next configuring.
TEST(CrashPoints, OfTheSourcesAreAllInThePrograms) {
  std::set<std::string> built;
  for (const char* program : {kOmnixd, kRecovery, kScript}) {
    for (auto& point : PointsOf(program)) built.insert(std::move(point));
  }
  const std::regex macro("OMNIX_CRASH_POINT\\(\"([^\"]+)\"\\)");
  for (const char* folder : {"/orchestrator", "/agents"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(SourceFolder() + folder)) {
      if (entry.path().extension() != ".cc" || entry.path().stem().string().ends_with("_test")) continue;
      const std::string text = Slurp(entry.path().string());
      for (std::sregex_iterator at(text.begin(), text.end(), macro), end; at != end; ++at) {
        EXPECT_TRUE(built.contains((*at)[1])) << entry.path() << ": " << (*at)[1] << ": run cmake again";
      }
    }
  }
}

// A commit reports an error though it happened: the sender is told UNAVAILABLE, memory is built again from the journal,
// and all ends as without the fault.
TEST(CommitToldFailed, EndsAsWithoutIt) {
  constexpr int kEvery = 9;
  const int step = std::max(1, kEvery / Seeds());
  int failed = 0;
  for (int commit = 1; commit <= 60; commit += step) {
    const Story story{.plot = Plot::kCommitToldFailed, .death = std::nullopt, .failed_commit = commit};
    SCOPED_TRACE(Describe(story));
    CrashWorld world;
    const Told told = Tell(story, world, Tracing::kNo);
    CheckTheEnd(story, told, world);
    failed += world.Logs().find("the commit is said to have failed") != std::string::npos;
  }
  EXPECT_GE(failed, 4);
}

}  // namespace
}  // namespace omnix::testing
