// `omnix agent list|drain`.
#include <map>

#include "cli/session.h"
#include "cli/table.h"
#include "cli/words.h"
#include "common/printable.h"
#include "common/status.h"

namespace omnix {
namespace {

std::string StateWord(const v1::AgentInfo& agent) {
  if (!agent.connected()) return "gone";
  return agent.draining() ? "draining" : "connected";
}

std::string PaintState(const Style& style, const std::string& cell) {
  if (cell == "gone") return style.Red(cell);
  return cell == "draining" ? style.Yellow(cell) : style.Green(cell);
}

absl::StatusOr<ExitCode> List(Session& session) {
  OMNIX_ASSIGN_OR_RETURN(const v1::ListAgentsResponse list,
                         session.client().Call(&v1::Operator::Stub::ListAgents, v1::ListAgentsRequest()));
  if (session.PrintedForPrograms(list)) return ExitCode::kDone;
  Table table({{"AGENT", true},
               {"VERSION"},
               {"STATE", false, PaintState},
               {"RUNNING"},
               {"HEARD", false},
               {"TASK TYPES", true},
               {"LABELS", true}});
  for (const auto& agent : list.agents()) {
    const std::map<std::string, std::string> sorted(agent.labels().begin(), agent.labels().end());
    std::vector<std::string> labels;
    for (const auto& [name, value] : sorted) labels.push_back(name + "=" + value);
    table.Add({agent.name(), agent.version(), StateWord(agent), fmt::format("{}/{}", agent.running(), agent.capacity()),
               AgoWord(agent.last_heartbeat_at(), session.now()), fmt::format("{}", fmt::join(agent.task_types(), " ")),
               fmt::format("{}", fmt::join(labels, " "))});
  }
  session.io().out << (table.empty() ? "No agent has connected; start one, e.g. omnix-investigation-agent.\n"
                                     : table.Render(session.io().width, session.style()));
  return ExitCode::kDone;
}

absl::StatusOr<ExitCode> Drain(Session& session, const std::string& name) {
  v1::DrainAgentRequest request;
  request.set_name(name);
  request.set_by(session.options().by);
  OMNIX_ASSIGN_OR_RETURN(const v1::DrainAgentResponse answer,
                         session.client().Call(&v1::Operator::Stub::DrainAgent, request));
  if (session.PrintedForPrograms(answer)) return ExitCode::kDone;
  session.io().out << PrintableLine(fmt::format("{} finishes what it runs and gets nothing new", name)) << "\n";
  return ExitCode::kDone;
}

}  // namespace

void AddAgentCommands(CLI::App& app, Session& session) {
  CLI::App* agent = app.add_subcommand("agent", "Agents: list, drain");
  agent->require_subcommand(1);
  agent->add_subcommand("list", "The agents and what they offer")->callback([&session] {
    session.Do([&session] { return List(session); });
  });
  const auto name = std::make_shared<std::string>();
  CLI::App* drain = agent->add_subcommand("drain", "Lets an agent finish its work and gives it nothing new");
  drain->add_option("NAME", *name, "The agent")->required();
  drain->callback([&session, name] { session.Do([&session, name] { return Drain(session, *name); }); });
}

}  // namespace omnix
