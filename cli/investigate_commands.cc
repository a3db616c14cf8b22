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
  std::string metrics;
  std::string normal;
  std::string graph;
  std::string target;
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
  std::vector<std::string> words = {AgentProgram(), "investigate", "--metrics", files.metrics, "--normal",
                                    files.normal,   "--graph",     files.graph, "--target",    files.target};
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
      "investigate", "Ranks the components that could be the origin of an incident, from files; changes nothing");
  investigate->add_option("--metrics", files->metrics, "CSV: the components' time series in the incident")->required();
  investigate->add_option("--normal", files->normal, "CSV: the same in normal time")->required();
  investigate->add_option("--graph", files->graph, "CSV: adjacency matrix, rows call columns")->required();
  investigate->add_option("--target", files->target, "NODE:METRIC:STATISTIC that violates its objective")->required();
  investigate->add_flag("--json", files->json, "One JSON object");
  investigate->callback([&session, files] { session.Do([&session, files] { return BecomeAgent(session, *files); }); });
}

}  // namespace omnix
