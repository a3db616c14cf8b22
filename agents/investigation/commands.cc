#include "agents/investigation/commands.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <mutex>
#include <string_view>
#include <vector>

#include "agents/investigation/diagnose.h"
#include "agents/investigation/logs/compare.h"
#include "agents/investigation/metrics/rank.h"
#include "agents/investigation/system_around.h"
#include "common/json.h"
#include "common/printable.h"
#include "common/redact.h"
#include "common/status.h"
#include "common/system_model.h"
#include "common/time.h"

namespace omnix {
namespace {

constexpr char kInvestigate[] = "investigate";
constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kBadInput = 2;

struct Arguments {
  std::string system;
  std::string service;
  std::string metrics;
  std::string normal;
  std::string graph;
  std::string target;
  std::vector<std::string> logs;
  std::string since;
  std::string until;
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

Json ToJson(const LogChange& change) {
  constexpr const char* kKinds[] = {"new", "more_often", "ceased"};
  return {{"change", kKinds[static_cast<int>(change.kind)]},
          {"error", change.error},
          {"count", change.count},
          {"expected", Rounded(change.expected)},
          {"first", omnix::FormatTime(change.first)},
          {"last", omnix::FormatTime(change.last)},
          {"template", Excerpt(change.text)},
          {"sample", Excerpt(change.sample)}};
}

Json ToJson(const std::string& path, const LogComparison& comparison) {
  Json changes = Json::array();
  for (const LogChange& change : comparison.changes) changes.push_back(ToJson(change));
  Json json = {{"file", path},
               {"entries", comparison.entries},
               {"window_entries", comparison.window_entries},
               {"binary_lines", comparison.binary_lines},
               {"templates", comparison.templates},
               {"timed", comparison.timed},
               {"normal_seconds", absl::ToInt64Seconds(comparison.normal)},
               {"changes", std::move(changes)}};
  if (comparison.first_error) json["first_error"] = ToJson(*comparison.first_error);
  return json;
}

void Print(const std::string& path, const LogComparison& comparison) {
  fmt::print("{}: {} entries since then, {} before\n", PrintableLine(path), comparison.window_entries,
             comparison.entries - comparison.window_entries);
  if (!comparison.timed) fmt::print("  no line says when it was written: nothing can be compared\n");
  if (comparison.timed && comparison.changes.empty()) fmt::print("  nothing changed\n");
  if (comparison.first_error) fmt::print("  first error: {}\n", Describe(*comparison.first_error));
  for (const LogChange& change : comparison.changes) fmt::print("  {}\n", Describe(change));
}

absl::Status CompareLogs(const Arguments& arguments) {
  LogCompareOptions options;
  OMNIX_ASSIGN_OR_RETURN(options.begin, ParseTime(arguments.since));
  if (!arguments.until.empty()) {
    OMNIX_ASSIGN_OR_RETURN(options.end, ParseTime(arguments.until));
  }
  Json logs = Json::array();
  for (const std::string& path : arguments.logs) {
    OMNIX_ASSIGN_OR_RETURN(const LogComparison comparison, CompareLogFile(path, options));
    if (arguments.json) {
      logs.push_back(ToJson(path, comparison));
    } else {
      Print(path, comparison);
    }
  }
  if (arguments.json) fmt::print("{}\n", DumpJson({{"logs", std::move(logs)}}));
  return std::fflush(stdout) == 0 ? absl::OkStatus() : Internal("cannot write to standard output");
}

// The observations that a hypothesis rests on, at most `kShown`, with their places.
void PrintEvidence(const v1::Hypothesis& cause, const std::map<std::string, v1::Evidence>& evidence) {
  constexpr int kShown = 3;
  for (const v1::Counterfactual& test : cause.tests())
    fmt::print("  test {}: {}\n", test.agrees() ? "agrees" : "disagrees", PrintableLine(test.description()));
  const auto print = [&](char sign, const std::string& id) {
    const auto found = evidence.find(id);
    if (found == evidence.end()) return;
    const v1::Location& place = found->second.location();
    const std::string at = place.file().empty() ? ""
                           : place.line() == 0  ? fmt::format(" ({})", place.file())
                                                : fmt::format(" ({}:{})", place.file(), place.line());
    fmt::print("  {} {}\n", sign, PrintableLine(found->second.summary() + at));
  };
  for (int i = 0; i < std::min(kShown, cause.evidence_for_size()); ++i) print('+', cause.evidence_for(i));
  for (int i = 0; i < std::min(kShown, cause.evidence_against_size()); ++i) print('-', cause.evidence_against(i));
}

void Print(const v1::Diagnosis& diagnosis, const std::map<std::string, v1::Evidence>& evidence) {
  const auto print = [](const std::string& text) { fmt::print("{}\n", PrintableLine(text)); };
  print(diagnosis.summary());
  for (const v1::Symptom& symptom : diagnosis.symptoms()) print("symptom: " + symptom.summary());
  for (const v1::Hypothesis& cause : diagnosis.hypotheses()) {
    print(fmt::format("cause ({:.0f} %): {}. {}", cause.confidence() * 100, cause.title(), cause.explanation()));
    PrintEvidence(cause, evidence);
    for (const v1::Remedy& remedy : cause.remedies())
      print(fmt::format("  remedy: {} ({})", remedy.title(), remedy.footprint()));
  }
  for (const std::string& line : diagnosis.ruled_out()) print("ruled out: " + line);
  for (const std::string& line : diagnosis.next_steps()) print("next: " + line);
}

absl::Status DiagnoseSystem(const Arguments& arguments) {
  Case investigation;
  OMNIX_ASSIGN_OR_RETURN(investigation.system, LoadSystemModel(arguments.system));
  if (!arguments.service.empty()) {
    OMNIX_ASSIGN_OR_RETURN(investigation.system, SystemAround(investigation.system, arguments.service));
    investigation.reported = {arguments.service};
  }
  investigation.now = investigation.started_at = absl::Now();
  if (!arguments.since.empty()) {
    OMNIX_ASSIGN_OR_RETURN(investigation.started_at, ParseTime(arguments.since));
    if (investigation.started_at > investigation.now) return InvalidArgument("--since lies in the future");
  }
  std::map<std::string, v1::Evidence> evidence;
  std::vector<std::string> order;
  // Probes that run in parallel report one at a time.
  std::mutex mutex;
  investigation.report = [&](const v1::Evidence& found) {
    const std::lock_guard lock(mutex);
    evidence[found.id()] = found;
    order.push_back(found.id());
  };
  OMNIX_ASSIGN_OR_RETURN(const v1::Diagnosis diagnosis, Diagnose(investigation));
  if (arguments.json) {
    Json list = Json::array();
    for (const std::string& id : order) list.push_back(MessageToJsonValue(evidence.at(id)));
    fmt::print("{}\n", DumpJson({{"diagnosis", MessageToJsonValue(diagnosis)}, {"evidence", std::move(list)}}));
  } else {
    Print(diagnosis, evidence);
  }
  return std::fflush(stdout) == 0 ? absl::OkStatus() : Internal("cannot write to standard output");
}

absl::Status Run(const Arguments& arguments) {
  if (!arguments.system.empty()) return DiagnoseSystem(arguments);
  if (!arguments.logs.empty()) return CompareLogs(arguments);
  if (!arguments.metrics.empty()) return RankByMetrics(arguments);
  return InvalidArgument("investigate needs --system, --metrics, or --logs with --since");
}

}  // namespace

bool IsInvestigateCommand(int argc, char** argv) { return argc > 1 && std::string_view(argv[1]) == kInvestigate; }

int RunInvestigateCommand(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Looks for causes by hand, without an incident; changes nothing.");
  CLI::App* investigate =
      app.add_subcommand(kInvestigate, "Rank the components that could be the origin; compare logs");
  app.require_subcommand(1);
  CLI::Option* system = investigate->add_option("--system", arguments.system, "Probe the system of this model (YAML)");
  investigate->add_option("--service", arguments.service, "Only this service, what it needs, and its clients")
      ->needs(system);
  CLI::Option* metrics =
      investigate->add_option("--metrics", arguments.metrics, "CSV: the components' time series in the incident");
  CLI::Option* normal = investigate->add_option("--normal", arguments.normal, "CSV: the same in normal time");
  CLI::Option* graph = investigate->add_option("--graph", arguments.graph, "CSV: adjacency matrix, rows call columns");
  CLI::Option* target =
      investigate->add_option("--target", arguments.target, "NODE:METRIC:STATISTIC that violates its objective");
  metrics->needs(normal, graph, target);
  CLI::Option* logs = investigate->add_option("--logs", arguments.logs, "Logs to compare with the time before --since");
  CLI::Option* since = investigate->add_option("--since", arguments.since,
                                               "When the incident began (RFC 3339; default with --system: now)");
  investigate->add_option("--until", arguments.until, "When it ended (default: the log's end)")->needs(logs);
  logs->needs(since)->excludes(metrics);
  system->excludes(metrics, logs);
  investigate->add_flag("--json", arguments.json, "One JSON object");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kBadInput;
  }
  const absl::Status status = Run(arguments);
  return status.ok() ? kDone : Report(status);
}

}  // namespace omnix
