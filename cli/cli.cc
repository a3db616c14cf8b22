#include "cli/cli.h"

#include <CLI/CLI.hpp>
#include <exception>

#include "cli/completion.h"
#include "cli/session.h"
#include "cli/silence_commands.h"
#include "cli/words.h"
#include "common/printable.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr double kMinTimeoutSeconds = 0.1;
constexpr double kMaxTimeoutSeconds = 3600;

// The program's nouns. A new one is a line here and a file of its own.
constexpr void (*kCommands[])(CLI::App&, Session&) = {
    AddIncidentCommands, AddAgentCommands,  AddAlertCommands,       AddSilenceCommands,
    AddJournalCommands,  AddSystemCommands, AddInvestigateCommands,
};

void AddGlobalOptions(CLI::App& app, Session& session) {
  GlobalOptions& options = session.options();
  const CliIo& io = session.io();
  if (const std::string target = io.environment("OMNIX_ORCHESTRATOR"); !target.empty()) options.orchestrator = target;
  // Programs that cron starts have only LOGNAME.
  options.by = io.environment("USER");
  if (options.by.empty()) options.by = io.environment("LOGNAME");
  app.add_option("--orchestrator", options.orchestrator, "host:port of omnixd (or OMNIX_ORCHESTRATOR)")
      ->capture_default_str();
  app.add_option("--timeout", options.timeout_s, "Seconds to wait for an answer")
      ->check(CLI::Range(kMinTimeoutSeconds, kMaxTimeoutSeconds))
      ->capture_default_str();
  app.add_option("-o,--output", options.output, "table for people; json or yaml for programs")
      ->check(CLI::IsMember({"table", "json", "yaml"}))
      ->capture_default_str();
  app.add_option("--by", options.by, "Who asks, as the journal keeps it (default: $USER or $LOGNAME)");
}

// Global options may stand behind the command, too.
void LetFallThrough(CLI::App& app) {
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
    command->fallthrough();
    LetFallThrough(*command);
  }
}

const CLI::App& DeepestParsed(const CLI::App& app) {
  const auto parsed = app.get_subcommands();
  return parsed.empty() ? app : DeepestParsed(*parsed.front());
}

std::string PathOf(const CLI::App& command) {
  return command.get_parent() == nullptr ? command.get_name()
                                         : PathOf(*command.get_parent()) + " " + command.get_name();
}

std::vector<std::string> VerbsOf(const CLI::App& command) {
  std::vector<std::string> verbs;
  for (const CLI::App* verb : command.get_subcommands([](const CLI::App*) { return true; })) {
    if (!verb->get_group().empty()) verbs.push_back(verb->get_name());
  }
  return verbs;
}

// CLI11 says "a subcommand is required" for a mistyped one; people want to know which word is wrong and what they may
// have meant.
std::string UsageMessage(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& command = DeepestParsed(app);
  const std::vector<std::string> verbs = VerbsOf(command);
  const std::vector<std::string> extras = app.remaining(true);
  const auto word =
      std::find_if(extras.begin(), extras.end(), [](const std::string& e) { return !e.starts_with("-"); });
  std::string message = error.what();
  if (!verbs.empty() && word != extras.end()) {
    message = fmt::format("'{}' is no command of `{}`", *word, PathOf(command));
    if (const auto nearest = Nearest(*word, verbs)) {
      return fmt::format("{}; did you mean `{} {}`?", message, PathOf(command), *nearest);
    }
    return fmt::format("{}; it has: {}", message, fmt::join(verbs, ", "));
  }
  if (!verbs.empty()) message = fmt::format("`{}` needs a command: {}", PathOf(command), fmt::join(verbs, ", "));
  return fmt::format("{} (`{} --help` explains)", message, PathOf(command));
}

ExitCode CodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
      return ExitCode::kUnreachable;
    case absl::StatusCode::kInvalidArgument:
      return ExitCode::kUsage;
    default:
      return ExitCode::kFailed;
  }
}

ExitCode Report(CliIo& io, const absl::Status& status) {
  io.err << "omnix: " << PrintableText(Message(status)) << "\n";
  return CodeOf(status);
}

ExitCode RunParsed(const std::vector<std::string>& args, CliIo& io) {
  CLI::App app("Watches and commands the incidents that Omnix handles.", "omnix");
  Session session(io);
  AddGlobalOptions(app, session);
  for (const auto add : kCommands) add(app, session);
  app.require_subcommand(1);
  LetFallThrough(app);
  // The words to complete may be anything, also half an option: they are not for the parser.
  if (!args.empty() && args.front() == kCompleteCommand) {
    for (const auto& word : Completions(app, session, {args.begin() + 1, args.end()}))
      io.out << PrintableLine(word) << "\n";
    return ExitCode::kDone;
  }
  try {
    app.parse(std::vector<std::string>(args.rbegin(), args.rend()));
  } catch (const CLI::CallForHelp&) {
    io.out << DeepestParsed(app).help();
    return ExitCode::kDone;
  } catch (const CLI::ParseError& error) {
    return Report(io, InvalidArgument("{}", UsageMessage(app, error)));
  }
  const absl::StatusOr<ExitCode> result = session.action()();
  io.out.flush();
  if (result.ok() && !io.out) return Report(io, Internal("cannot write to standard output"));
  return result.ok() ? *result : Report(io, result.status());
}

}  // namespace

int RunCli(const std::vector<std::string>& args, CliIo& io) {
  try {
    return static_cast<int>(RunParsed(args, io));
  } catch (const std::exception& error) {
    return static_cast<int>(Report(io, Internal("{}", error.what())));
  }
}

}  // namespace omnix
