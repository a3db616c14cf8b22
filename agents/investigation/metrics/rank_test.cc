// Systems made up by the test: shapes, names and faults that no benchmark has.
#include "agents/investigation/metrics/rank.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace omnix {
namespace {

constexpr size_t kNormalRows = 400;
constexpr size_t kWindowRows = 12;
constexpr size_t kOnset = 5;
constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

enum class Fault { kNone, kSlow, kFailing, kSilent, kBusy };

// A tree of calls with an extra edge here and there: node 0 calls the rest. Each node takes its own time and waits for
// what it calls; failures pass on.
class MadeUpSystem {
 public:
  explicit MadeUpSystem(uint32_t seed, size_t nodes = 14) : random_(seed), callers_(nodes), ratio_(nodes, 1) {
    for (size_t n = 0; n < nodes; ++n) {
      own_.push_back(Between(0.002, 0.05));
      graph_.AddNode(Name(n));
      if (n == 0) continue;
      const size_t caller = n < 4 ? 0 : static_cast<size_t>(Between(0, static_cast<double>(n) - 0.01));
      callers_[n] = caller;
      // Calls of this node for each of its caller.
      ratio_[n] = Between(0.4, 1.6);
      graph_.AddCall(Name(caller), Name(n));
    }
  }
  static std::string Name(size_t n) { return "svc::" + std::to_string(n); }
  const CallGraph& graph() const { return graph_; }
  size_t size() const { return own_.size(); }
  double own(size_t n) const { return own_[n]; }

  MetricTable Run(size_t rows, Fault fault = Fault::kNone, size_t where = 0, double size = 0, size_t onset = kOnset) {
    MetricTable table;
    for (size_t row = 0; row < rows; ++row) {
      table.times.push_back(60.0 * static_cast<double>(row));
      AddRow(&table, row >= onset ? fault : Fault::kNone, where, size);
    }
    return table;
  }

 private:
  double Between(double low, double high) { return std::uniform_real_distribution<double>(low, high)(random_); }
  double Noise(double scale) { return std::lognormal_distribution<double>(0, scale)(random_); }

  void AddRow(MetricTable* table, Fault fault, size_t where, double size) {
    std::vector<double> count(own_.size()), time(own_.size()), up(own_.size(), 1);
    count[0] = std::round(600 * Noise(0.05));
    for (size_t n = 1; n < own_.size(); ++n) count[n] = std::round(count[callers_[n]] * ratio_[n] * Noise(0.02));
    for (size_t n = own_.size(); n-- > 0;) {
      const bool here = n == where;
      time[n] += own_[n] * Noise(0.08) + (here && fault == Fault::kSlow ? size : 0);
      up[n] *= 1 - Between(0, 0.001) - (here && fault == Fault::kFailing ? size : 0);
      if (n == 0) break;
      const double calls = count[n] / count[callers_[n]];
      time[callers_[n]] += time[n] * calls;
      const bool gone = here && fault == Fault::kSilent;
      up[callers_[n]] *= gone ? 0.4 : 1 - (1 - up[n]) * calls;
      if (gone) count[n] = time[n] = up[n] = kMissing;
    }
    for (size_t n = 0; n < own_.size(); ++n) {
      const bool busy = n == where && fault == Fault::kBusy;
      table->series[{Name(n), "requests", "Sum"}].push_back(count[n]);
      table->series[{Name(n), "latency", "Average"}].push_back(time[n]);
      table->series[{Name(n), "availability", "Average"}].push_back(100 * up[n]);
      table->series[{Name(n), "cpu", "Average"}].push_back(Between(0.2, 0.3) + (busy ? size : 0));
    }
  }

  std::mt19937 random_;
  CallGraph graph_;
  std::vector<size_t> callers_;
  std::vector<double> ratio_;
  std::vector<double> own_;
};

SeriesKey Target(const std::string& metric) { return {MadeUpSystem::Name(0), metric, "Average"}; }

std::string FirstOf(const absl::StatusOr<Ranking>& ranking) {
  if (!ranking.ok()) return ranking.status().ToString();
  return ranking->causes.empty() ? "none" : ranking->causes[0].node;
}

// The share of nodes, in several systems, that are named when they are at fault.
double ShareFound(Fault fault, const std::string& metric, double size, size_t first_node) {
  int found = 0;
  int all = 0;
  for (uint32_t seed = 1; seed <= 4; ++seed) {
    MadeUpSystem system(seed);
    const MetricTable normal = system.Run(kNormalRows);
    for (size_t n = first_node; n < system.size(); ++n) {
      const MetricTable window = system.Run(kWindowRows, fault, n, size);
      const std::string first = FirstOf(RankCauses(window, normal, system.graph(), Target(metric)));
      found += first == MadeUpSystem::Name(n) ? 1 : 0;
      ++all;
    }
  }
  return static_cast<double>(found) / all;
}

TEST(RankCauses, FindsTheSlowComponentWhereverItStands) {
  EXPECT_GE(ShareFound(Fault::kSlow, "latency", 0.2, 0), 0.95);
}

TEST(RankCauses, FindsTheFailingComponentWhereverItStands) {
  EXPECT_GE(ShareFound(Fault::kFailing, "availability", 0.1, 0), 0.95);
}

TEST(RankCauses, FindsTheComponentThatNoLongerReports) {
  EXPECT_GE(ShareFound(Fault::kSilent, "availability", 0, 1), 0.95);
}

TEST(RankCauses, WorksWhereTheWholeWindowIsTheIncident) {
  MadeUpSystem system(7);
  const MetricTable normal = system.Run(kNormalRows);
  for (size_t n = 0; n < system.size(); ++n) {
    const MetricTable window = system.Run(kWindowRows, Fault::kSlow, n, 0.3, 0);
    EXPECT_EQ(FirstOf(RankCauses(window, normal, system.graph(), Target("latency"))), MadeUpSystem::Name(n));
  }
}

TEST(RankCauses, NamesNothingInNormalTime) {
  int named = 0;
  int all = 0;
  for (uint32_t seed = 1; seed <= 4; ++seed) {
    MadeUpSystem system(seed);
    const MetricTable normal = system.Run(kNormalRows);
    for (int i = 0; i < 25; ++i, ++all) {
      const auto ranking = RankCauses(system.Run(kWindowRows), normal, system.graph(), Target("latency"));
      ASSERT_TRUE(ranking.ok()) << ranking.status();
      named += ranking->causes.empty() ? 0 : 1;
    }
  }
  EXPECT_LE(named, all / 10);
}

TEST(RankCauses, AFaultThatTheTargetDoesNotFeelIsNotNamed) {
  MadeUpSystem system(3);
  const MetricTable normal = system.Run(kNormalRows);
  const MetricTable window = system.Run(kWindowRows, Fault::kBusy, 5, 0.6);
  EXPECT_EQ(FirstOf(RankCauses(window, normal, system.graph(), Target("latency"))), "none");
}

TEST(RankCauses, ACallerOfANewDependencyIsNamedInItsPlace) {
  MadeUpSystem system(5);
  const MetricTable normal = system.Run(kNormalRows);
  MetricTable window = system.Run(kWindowRows, Fault::kFailing, 2, 0.2);
  CallGraph graph = system.graph();
  graph.AddCall(MadeUpSystem::Name(2), "wrong-address");
  for (size_t row = 0; row < kWindowRows; ++row) {
    const bool on = row >= kOnset;
    window.series[{"wrong-address", "requests", "Sum"}].push_back(on ? 120 : kMissing);
    window.series[{"wrong-address", "availability", "Average"}].push_back(on ? 0 : kMissing);
  }
  EXPECT_EQ(FirstOf(RankCauses(window, normal, graph, Target("availability"))), MadeUpSystem::Name(2));
}

TEST(RankCauses, ALevelThatMovedBeforeTheIncidentIsNotBlamed) {
  MadeUpSystem system(11);
  const MetricTable normal = system.Run(kNormalRows);
  MetricTable window = system.Run(kWindowRows, Fault::kSlow, 1, 0.15);
  // Ten times as slow in the whole window, in a call that nobody waits for.
  for (double& value : window.series[{MadeUpSystem::Name(2), "latency", "Average"}]) value *= 10;
  EXPECT_EQ(FirstOf(RankCauses(window, normal, system.graph(), Target("latency"))), MadeUpSystem::Name(1));
}

TEST(RankCauses, ASilentTargetIsUnusual) {
  MadeUpSystem system(2);
  const MetricTable normal = system.Run(kNormalRows);
  MetricTable window = system.Run(kWindowRows);
  window.series.erase(Target("latency"));
  EXPECT_EQ(FirstOf(RankCauses(window, normal, system.graph(), Target("latency"))), MadeUpSystem::Name(0));
}

TEST(RankCauses, MetricsWithoutAUnitCountByTheirCourse) {
  MadeUpSystem system(2);
  const auto only_cpu = [](MetricTable table, const std::string& node) {
    for (auto at = table.series.begin(); at != table.series.end();)
      at = at->first.node == node && at->first.metric != "cpu" ? table.series.erase(at) : std::next(at);
    return table;
  };
  const std::string busy = MadeUpSystem::Name(3);
  const MetricTable normal = only_cpu(system.Run(kNormalRows), busy);
  MetricTable window = system.Run(kWindowRows, Fault::kSlow, 0, 0.2);
  for (size_t row = kOnset; row < kWindowRows; ++row) window.series[{busy, "cpu", "Average"}][row] += 0.7;
  const auto ranking = RankCauses(only_cpu(window, busy), normal, system.graph(), Target("latency"));
  ASSERT_TRUE(ranking.ok()) << ranking.status();
  ASSERT_GE(ranking->causes.size(), 2u);
  EXPECT_EQ(ranking->causes[1].node, busy);
  EXPECT_EQ(ranking->causes[1].metric, "cpu");
}

TEST(RankCauses, SaysWhatIsWrongWithItsInput) {
  MadeUpSystem system(1);
  const MetricTable normal = system.Run(kNormalRows);
  const MetricTable window = system.Run(kWindowRows);
  const auto error = [&](const MetricTable& usual, const SeriesKey& target) {
    return std::string(RankCauses(window, usual, system.graph(), target).status().message());
  };
  EXPECT_THAT(error(normal, {"nobody", "latency", "Average"}), ::testing::HasSubstr("no component 'nobody'"));
  EXPECT_THAT(error(normal, {"svc::0", "latency", "p42"}), ::testing::HasSubstr("it has svc::0:availability:Average"));
  EXPECT_THAT(error(system.Run(3), Target("latency")), ::testing::HasSubstr("3 rows of normal time"));
}

}  // namespace
}  // namespace omnix
