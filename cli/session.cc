#include "cli/session.h"

namespace omnix {

Style Session::style() const {
  const bool plain = !io_.out_is_terminal || !io_.environment("NO_COLOR").empty() || io_.environment("TERM") == "dumb";
  return Style(plain ? Style::Colours::kOff : Style::Colours::kOn);
}

OutputFormat Session::format() const {
  if (options_.output == "json") return OutputFormat::kJson;
  return options_.output == "yaml" ? OutputFormat::kYaml : OutputFormat::kTable;
}

OperatorClient& Session::client() {
  if (client_ == nullptr) {
    client_ = std::make_unique<OperatorClient>(options_.orchestrator, absl::Seconds(options_.timeout_s));
  }
  return *client_;
}

bool Session::PrintedForPrograms(const google::protobuf::Message& message) {
  switch (format()) {
    case OutputFormat::kTable:
      return false;
    case OutputFormat::kJson:
      io_.out << ToJsonText(message);
      return true;
    case OutputFormat::kYaml:
      io_.out << ToYamlText(message);
      return true;
  }
  return false;
}

std::string Session::CommandLine(const std::string& command) const {
  const std::string from_environment = io_.environment("OMNIX_ORCHESTRATOR");
  const std::string implied = from_environment.empty() ? kDefaultOrchestrator : from_environment;
  if (options_.orchestrator == implied) return "omnix " + command;
  return fmt::format("omnix --orchestrator {} {}", options_.orchestrator, command);
}

void AddIncidentArgument(CLI::App& command, std::string& incident) {
  command.add_option("INC", incident,
                     "Incident: its id, or an end of it that is unique (001); may be left out where one is open");
}

}  // namespace omnix
