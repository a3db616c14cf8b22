// `omnix investigate`: a diagnosis by hand. The investigation agent's program does it; this one takes its place, so
// that output, signals and exit code are the agent's own.
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "cli/session.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr char kAgentProgram[] = "omnix-investigation-agent";

struct Files {
  std::string system;
  std::string metrics;
  std::string normal;
  std::string graph;
  std::string target;
  std::vector<std::string> logs;
  std::string since;
  std::string until;
  bool json = false;
};

// Beside this program, else wherever PATH has it.
std::string AgentProgram() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto beside = self.parent_path() / kAgentProgram;
  return !error && std::filesystem::exists(beside, error) ? beside.string() : kAgentProgram;
}

absl::StatusOr<ExitCode> BecomeAgent(Session& session, const Files& files) {
  if (session.format() == OutputFormat::kYaml) return InvalidArgument("investigate prints a table or JSON, no YAML");
  std::vector<std::string> words = {AgentProgram(), "investigate"};
  const auto add = [&](const char* option, const std::string& value) {
    if (!value.empty()) words.insert(words.end(), {option, value});
  };
  add("--system", files.system);
  add("--metrics", files.metrics);
  add("--normal", files.normal);
  add("--graph", files.graph);
  add("--target", files.target);
  for (const std::string& log : files.logs) add("--logs", log);
  add("--since", files.since);
  add("--until", files.until);
  if (files.json || session.format() == OutputFormat::kJson) words.push_back("--json");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  session.io().out.flush();
  execvp(argv[0], argv.data());
  return NotFound("{}: {}; it belongs beside omnix", words[0], std::generic_category().message(errno));
}

}  // namespace

void AddInvestigateCommands(CLI::App& app, Session& session) {
  const auto files = std::make_shared<Files>();
  CLI::App* investigate = app.add_subcommand(
      "investigate",
      "Looks for causes by hand: probes a system, ranks components by metrics, compares logs; changes nothing");
  CLI::Option* system = investigate->add_option("--system", files->system, "Probe the system of this model (YAML)");
  CLI::Option* metrics =
      investigate->add_option("--metrics", files->metrics, "CSV: the components' time series in the incident");
  CLI::Option* normal = investigate->add_option("--normal", files->normal, "CSV: the same in normal time");
  CLI::Option* graph = investigate->add_option("--graph", files->graph, "CSV: adjacency matrix, rows call columns");
  CLI::Option* target =
      investigate->add_option("--target", files->target, "NODE:METRIC:STATISTIC that violates its objective");
  metrics->needs(normal, graph, target);
  CLI::Option* logs = investigate->add_option("--logs", files->logs, "Logs to compare with the time before --since");
  CLI::Option* since = investigate->add_option("--since", files->since, "When the incident began (RFC 3339)");
  investigate->add_option("--until", files->until, "When it ended (default: the log's end)")->needs(logs);
  logs->needs(since)->excludes(metrics);
  system->excludes(metrics, logs);
  investigate->add_flag("--json", files->json, "One JSON object");
  investigate->callback([&session, files] { session.Do([&session, files] { return BecomeAgent(session, *files); }); });
}

}  // namespace omnix
