// `omnix status|version|completion`.
#include <map>

#include "cli/completion.h"
#include "cli/page.h"
#include "cli/session.h"
#include "cli/words.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr char kJournalWell[] = "ok";

// "3 firing, asked 4s ago", or what is wrong.
std::string PollWord(const v1::PolledMonitor& poll, absl::Time now) {
  const std::string asked = poll.has_last_success() ? AgoWord(poll.last_success(), now) : "never";
  if (poll.failures() > 0) {
    return fmt::format("{} failures, last answer {}: {}", poll.failures(), asked, poll.error());
  }
  return poll.has_last_success() ? fmt::format("{} firing, asked {}", poll.firing(), asked) : "not asked yet";
}

std::string SilencesWord(const v1::SilenceTotals& silences) {
  return fmt::format("{} in force, {} alerts suppressed by them, {} held back", silences.count(), silences.suppressed(),
                     silences.held());
}

absl::StatusOr<ExitCode> Status(Session& session) {
  OMNIX_ASSIGN_OR_RETURN(const v1::GetStatusResponse status,
                         session.client().Call(&v1::Operator::Stub::GetStatus, v1::GetStatusRequest()));
  const ExitCode code = status.journal() == kJournalWell ? ExitCode::kDone : ExitCode::kFailed;
  if (session.PrintedForPrograms(status)) return code;
  const Style style = session.style();
  Page page(session.io().width, style);
  page.Field("omnixd", fmt::format("{} at {}, started {}", status.version(), session.client().target(),
                                   AgoWord(status.started_at(), session.now())));
  page.Field("Journal", status.journal());
  page.Field("Incidents", fmt::format("{} open", status.open_incidents()));
  page.Field("Agents", fmt::format("{} connected", status.connected_agents()));
  page.Field("Silences", SilencesWord(status.silences()));
  for (const v1::PolledMonitor& poll : status.polls()) page.Field("Poll " + poll.name(), PollWord(poll, session.now()));
  const std::map<std::string, std::string> sorted(status.dependencies().begin(), status.dependencies().end());
  for (const auto& [name, version] : sorted) page.Field(name, version);
  session.io().out << page.text();
  return code;
}

}  // namespace

void AddSystemCommands(CLI::App& app, Session& session) {
  app.add_subcommand("status", "Is the orchestrator well? (exit code 1 where its journal takes nothing)")
      ->callback([&session] { session.Do([&session] { return Status(session); }); });
  app.add_subcommand("version", "The version of this program")->callback([&session] {
    session.Do([&session]() -> absl::StatusOr<ExitCode> {
      session.io().out << "omnix " << OMNIX_VERSION << "\n";
      return ExitCode::kDone;
    });
  });
  const auto shell = std::make_shared<std::string>();
  CLI::App* completion =
      app.add_subcommand("completion", "Prints a completion script: source <(omnix completion bash)");
  completion->add_option("SHELL", *shell, "bash, zsh or fish")->required()->check(CLI::IsMember(kShells));
  completion->callback([&session, shell] {
    session.Do([&session, shell]() -> absl::StatusOr<ExitCode> {
      session.io().out << CompletionScript(*shell);
      return ExitCode::kDone;
    });
  });
}

}  // namespace omnix
