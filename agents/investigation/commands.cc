#include "agents/investigation/commands.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cmath>
#include <cstdio>
#include <string_view>

#include "agents/investigation/metrics/rank.h"
#include "common/json.h"
#include "common/printable.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr char kInvestigate[] = "investigate";
constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kBadInput = 2;

struct Arguments {
  std::string metrics;
  std::string normal;
  std::string graph;
  std::string target;
  bool json = false;
};

int Report(const absl::Status& status) {
  fmt::print(stderr, "omnix: {}\n", PrintableText(Message(status)));
  return absl::IsInvalidArgument(status) ? kBadInput : kFailed;
}

// More digits than these say nothing.
double Rounded(double score) { return std::round(score * 1e4) / 1e4; }

void Print(const Ranking& ranking, bool json) {
  if (json) {
    Json list = Json::array();
    for (const RankedCause& cause : ranking.causes)
      list.push_back({{"node", cause.node}, {"metric", cause.metric}, {"score", Rounded(cause.score)}});
    fmt::print("{}\n", DumpJson({{"ranking", std::move(list)}}));
    return;
  }
  if (ranking.causes.empty())
    fmt::print("No cause found: nothing is unusual (strength {:.2f}; normal time reaches {:.2f}).\n", ranking.strength,
               ranking.threshold);
  for (const RankedCause& cause : ranking.causes)
    fmt::print("{:.2f}  {} ({})\n", cause.score, PrintableLine(cause.node), PrintableLine(cause.metric));
}

absl::Status RankByMetrics(const Arguments& arguments) {
  OMNIX_ASSIGN_OR_RETURN(const SeriesKey target, ParseSeriesName(arguments.target));
  OMNIX_ASSIGN_OR_RETURN(const Ranking ranking,
                         RankCausesOfFiles(arguments.metrics, arguments.normal, arguments.graph, target));
  Print(ranking, arguments.json);
  return std::fflush(stdout) == 0 ? absl::OkStatus() : Internal("cannot write to standard output");
}

}  // namespace

bool IsInvestigateCommand(int argc, char** argv) { return argc > 1 && std::string_view(argv[1]) == kInvestigate; }

int RunInvestigateCommand(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Looks for causes by hand, without an incident; changes nothing.");
  CLI::App* investigate = app.add_subcommand(kInvestigate, "Rank the components that could be the origin");
  app.require_subcommand(1);
  investigate->add_option("--metrics", arguments.metrics, "CSV: the components' time series in the incident")
      ->required();
  investigate->add_option("--normal", arguments.normal, "CSV: the same in normal time")->required();
  investigate->add_option("--graph", arguments.graph, "CSV: adjacency matrix, rows call columns")->required();
  investigate->add_option("--target", arguments.target, "NODE:METRIC:STATISTIC that violates its objective")
      ->required();
  investigate->add_flag("--json", arguments.json, "One JSON object");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kBadInput;
  }
  const absl::Status status = RankByMetrics(arguments);
  return status.ok() ? kDone : Report(status);
}

}  // namespace omnix
