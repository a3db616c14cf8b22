// The ranking on issues of a real system (see its README in the shared folder; skipped where there is none), printed as
// a table, with the bars that it must meet. Nothing was fitted to one half of the issues: both are shown.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>

#include "agents/investigation/metrics/rank.h"
#include "common/file.h"
#include "common/json.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr double kTop1Bar = 0.85;
constexpr double kTop3Bar = 0.95;
constexpr double kSpecificityBar = 0.90;

struct Issue {
  std::string folder;
  SeriesKey target;
  std::string cause;
};

struct Count {
  int hits = 0;
  int all = 0;
  double share() const { return all == 0 ? 0 : static_cast<double>(hits) / all; }
  void Add(bool hit) {
    hits += hit ? 1 : 0;
    ++all;
  }
};

struct Row {
  Count top1, top3, specificity, held_out_specificity;
};

class PetShop : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* shared = std::getenv("OMNIX_SHARED");
    if (shared == nullptr) GTEST_SKIP() << "OMNIX_SHARED is not set";
    root_ = std::string(shared) + "/benchmarks/petshop/";
    if (Glob(root_ + "*/graph.csv").empty()) GTEST_SKIP() << "no data in " << root_;
  }

  static std::vector<Issue> Issues(const std::string& scenario) {
    std::vector<Issue> issues;
    for (const std::string& file : Glob(scenario + "/train/*/target.json")) {
      const auto text = ReadFile(file);
      EXPECT_TRUE(text.ok()) << text.status();
      const auto json = ParseJson(*text);
      EXPECT_TRUE(json.ok()) << json.status();
      const Json& target = (*json)["target"];
      issues.push_back({file.substr(0, file.rfind('/')),
                        {target["node"], target["metric"], target["agg"]},
                        (*json)["root_cause"]["node"]});
    }
    return issues;
  }

  static MetricTable Table(const std::string& path) {
    auto table = ReadMetricTable(path, [](const SeriesKey&) { return true; });
    EXPECT_TRUE(table.ok()) << table.status();
    return *std::move(table);
  }

  static MetricTable Part(const MetricTable& table, size_t begin, size_t end) {
    const auto cut = [&](const Values& values) {
      return Values(values.begin() + static_cast<ptrdiff_t>(begin), values.begin() + static_cast<ptrdiff_t>(end));
    };
    MetricTable part{table.path, cut(table.times), {}};
    for (const auto& [key, values] : table.series) part.series[key] = cut(values);
    return part;
  }

  // Windows of `from` in which no cause is named, `normal` being what is usual.
  static Count Specificity(const MetricTable& from, const MetricTable& normal, const CallGraph& graph,
                           const SeriesKey& target, size_t rows) {
    Count count;
    constexpr size_t kWindows = 20;
    const size_t stride = std::max(rows, from.times.size() / kWindows);
    for (size_t begin = 0; begin + rows <= from.times.size(); begin += stride) {
      const auto ranking = RankCauses(Part(from, begin, begin + rows), normal, graph, target);
      EXPECT_TRUE(ranking.ok()) << ranking.status();
      count.Add(ranking->causes.empty());
    }
    return count;
  }

  std::string root_;
};

bool Among(const Ranking& ranking, const std::string& node, size_t first) {
  for (size_t i = 0; i < std::min(first, ranking.causes.size()); ++i) {
    if (ranking.causes[i].node == node) return true;
  }
  return false;
}

TEST_F(PetShop, NamesTheCauseAndStaysSilentInNormalTime) {
  std::map<std::string, Row> rows;
  for (const std::string& graph_file : Glob(root_ + "*/graph.csv")) {
    const std::string scenario = graph_file.substr(0, graph_file.rfind('/'));
    const std::string name = scenario.substr(scenario.rfind('/') + 1);
    const MetricTable normal = Table(scenario + "/noissue/metrics.csv");
    const auto graph = ReadCallGraph(graph_file);
    ASSERT_TRUE(graph.ok()) << graph.status();
    std::set<std::string> measured;
    for (const Issue& issue : Issues(scenario)) {
      const MetricTable window = Table(issue.folder + "/metrics.csv");
      const auto ranking = RankCauses(window, normal, *graph, issue.target);
      ASSERT_TRUE(ranking.ok()) << ranking.status();
      Row& row = rows[name + " " + issue.target.metric];
      row.top1.Add(Among(*ranking, issue.cause, 1));
      row.top3.Add(Among(*ranking, issue.cause, 3));
      fmt::print("{} {}: strength {:.2f} of {:.2f}:", name, issue.folder.substr(issue.folder.rfind('/') + 1),
                 ranking->strength, ranking->threshold);
      for (size_t i = 0; i < std::min<size_t>(3, ranking->causes.size()); ++i)
        fmt::print(" {} {:.2f}", ranking->causes[i].node, ranking->causes[i].score);
      fmt::print("\n");
      if (!measured.insert(issue.target.metric).second) continue;
      row.specificity = Specificity(normal, normal, *graph, issue.target, window.times.size());
      const size_t half = normal.times.size() / 2;
      const MetricTable first = Part(normal, 0, half);
      const MetricTable second = Part(normal, half, normal.times.size());
      const Count late = Specificity(second, first, *graph, issue.target, window.times.size());
      const Count early = Specificity(first, second, *graph, issue.target, window.times.size());
      row.held_out_specificity = {late.hits + early.hits, late.all + early.all};
    }
  }
  Row all;
  const auto add = [](Count* sum, const Count& part) {
    sum->hits += part.hits;
    sum->all += part.all;
  };
  fmt::print("{:30} {:>6} {:>6} {:>6} {:>12} {:>22}\n", "", "issues", "top-1", "top-3", "specificity",
             "with half as normal");
  const auto print = [](const std::string& name, const Row& row) {
    fmt::print("{:30} {:6} {:6.2f} {:6.2f} {:12.2f} {:22.2f}\n", name, row.top1.all, row.top1.share(), row.top3.share(),
               row.specificity.share(), row.held_out_specificity.share());
  };
  for (const auto& [name, row] : rows) {
    print(name, row);
    add(&all.top1, row.top1);
    add(&all.top3, row.top3);
    add(&all.specificity, row.specificity);
    add(&all.held_out_specificity, row.held_out_specificity);
  }
  print("all", all);
  EXPECT_GE(all.top1.share(), kTop1Bar);
  EXPECT_GE(all.top3.share(), kTop3Bar);
  EXPECT_GE(all.specificity.share(), kSpecificityBar);
  EXPECT_GE(all.held_out_specificity.share(), kSpecificityBar);
}

// A fault put into windows of the system's normal time, at each component in turn: its excess passes on to its callers,
// in proportion to their calls. All else is the system's own noise.
class Injector {
 public:
  Injector(const CallGraph& graph, const SeriesKey& target, MetricTable* table)
      : graph_(graph), target_(target), nodes_(graph.Reachable(target.node)), table_(*table) {}

  // In `row` the target shall feel `size`. False where the component has too few calls for that.
  bool Inject(const std::string& node, size_t row, double size) {
    const double calls = Requests(node, row);
    if (!(calls > 0)) return false;
    const bool share = target_.metric == "availability";
    constexpr double kAll = 100;
    std::map<std::string, double> excess = {{node, size * Requests(target_.node, row) / calls}};
    if (share && excess[node] > kAll) return false;
    std::set<std::string> done;
    std::vector<std::string> open = {node};
    for (size_t i = 0; i < open.size(); ++i) {
      const std::string callee = open[i];
      if (!done.insert(callee).second) continue;
      double all = 0;
      for (const std::string& caller : Callers(callee)) all += Requests(caller, row);
      for (const std::string& caller : Callers(callee)) {
        if (all <= 0 || done.count(caller) > 0) continue;
        excess[caller] += excess[callee] * Requests(callee, row) / all;
        open.push_back(caller);
      }
    }
    const int side = share ? -1 : 1;
    for (const auto& [name, value] : excess) {
      const auto series = table_.series.find({name, target_.metric, target_.statistic});
      if (series != table_.series.end()) series->second[row] += side * value;
    }
    return true;
  }

 private:
  double Requests(const std::string& node, size_t row) const {
    const Values* values = table_.Find({node, "requests", "Sum"});
    return values == nullptr || std::isnan((*values)[row]) ? 0 : (*values)[row];
  }
  std::vector<std::string> Callers(const std::string& callee) const {
    std::vector<std::string> callers;
    for (const std::string& node : nodes_) {
      const auto& callees = graph_.Callees(node);
      if (std::find(callees.begin(), callees.end(), callee) != callees.end()) callers.push_back(node);
    }
    return callers;
  }

  const CallGraph& graph_;
  const SeriesKey& target_;
  const std::vector<std::string> nodes_;
  MetricTable& table_;
};

TEST_F(PetShop, FindsFaultsThatAreInjectedElsewhere) {
  constexpr size_t kRows = 6;
  Count top1, top3;
  for (const std::string& graph_file : Glob(root_ + "*/graph.csv")) {
    const std::string scenario = graph_file.substr(0, graph_file.rfind('/'));
    const MetricTable normal = Table(scenario + "/noissue/metrics.csv");
    const auto graph = ReadCallGraph(graph_file);
    ASSERT_TRUE(graph.ok()) << graph.status();
    const SeriesKey entry = Issues(scenario).at(0).target;
    size_t begin = 0;
    for (const std::string& node : graph->Reachable(entry.node)) {
      for (const bool latency : {true, false}) {
        const SeriesKey target{entry.node, latency ? "latency" : "availability", "Average"};
        const Values* values = normal.Find({node, target.metric, target.statistic});
        // What is called now and then only has no "usual".
        if (values == nullptr || std::count_if(values->begin(), values->end(), [](double v) { return v == v; }) <
                                     static_cast<ptrdiff_t>(normal.times.size() * 9 / 10))
          continue;
        begin = (begin + 97) % (normal.times.size() - kRows);
        MetricTable window = Part(normal, begin, begin + kRows);
        Injector injector(*graph, target, &window);
        // A third of the target's usual time, or 4 of 100 requests.
        const double size = latency ? 0.03 : 4;
        if (!injector.Inject(node, 2, size) || !injector.Inject(node, 3, size)) continue;
        const auto ranking = RankCauses(window, normal, *graph, target);
        ASSERT_TRUE(ranking.ok()) << ranking.status();
        top1.Add(Among(*ranking, node, 1));
        top3.Add(Among(*ranking, node, 3));
      }
    }
  }
  fmt::print("injected elsewhere: {} faults, top-1 {:.2f}, top-3 {:.2f}\n", top1.all, top1.share(), top3.share());
  EXPECT_GE(top1.all, 50);
  EXPECT_GE(top1.share(), kTop1Bar);
  EXPECT_GE(top3.share(), kTop3Bar);
}

}  // namespace
}  // namespace omnix
