// What every command has at hand: where it prints, the global options, the orchestrator.
#pragma once

#include <fmt/format.h>
#include <google/protobuf/message.h>

#include <CLI/App.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "cli/cli.h"
#include "cli/exit_code.h"
#include "cli/operator_client.h"
#include "cli/output.h"
#include "cli/terminal.h"

namespace omnix {

inline constexpr char kDefaultOrchestrator[] = "127.0.0.1:7420";

struct GlobalOptions {
  std::string orchestrator = kDefaultOrchestrator;
  double timeout_s = 10;
  std::string output = "table";
  std::string by;
};

class Session {
 public:
  explicit Session(CliIo& io) : io_(io) {}

  CliIo& io() { return io_; }
  GlobalOptions& options() { return options_; }
  Style style() const;
  OutputFormat format() const;
  // Connects at the first call.
  OperatorClient& client();
  absl::Time now() const { return io_.clock.Now(); }

  // Where people read: standard output, or standard error where programs read the former.
  std::ostream& people() { return format() == OutputFormat::kTable ? io_.out : io_.err; }

  // Prints the message for programs and returns true, or returns false where a table is wanted.
  bool PrintedForPrograms(const google::protobuf::Message& message);

  // "omnix incident approve INC-..." as it must be typed to reach the same orchestrator.
  std::string CommandLine(const std::string& command) const;

  // What the parsed command does; set by the command's callback, run after all of the line has been read.
  using Action = std::function<absl::StatusOr<ExitCode>()>;
  void Do(Action action) { action_ = std::move(action); }
  const Action& action() const { return action_; }

 private:
  CliIo& io_;
  GlobalOptions options_;
  std::unique_ptr<OperatorClient> client_;
  Action action_;
};

// Each adds its commands to the program; see the table in cli.cc.
void AddIncidentCommands(CLI::App& app, Session& session);
void AddAgentCommands(CLI::App& app, Session& session);
void AddAlertCommands(CLI::App& app, Session& session);
void AddJournalCommands(CLI::App& app, Session& session);
void AddSystemCommands(CLI::App& app, Session& session);
void AddInvestigateCommands(CLI::App& app, Session& session);

// Commands of `omnix incident` that stand in files of their own.
void AddIncidentWatch(CLI::App& incident, Session& session);
void AddIncidentApproval(CLI::App& incident, Session& session);
void AddIncidentReport(CLI::App& incident, Session& session);
void AddIncidentMoves(CLI::App& incident, Session& session);

// The optional INC argument that most commands of `omnix incident` have.
void AddIncidentArgument(CLI::App& command, std::string& incident);

}  // namespace omnix
