#include "cli/completion.h"

#include <algorithm>

namespace omnix {
namespace {

constexpr char kBash[] = R"(_omnix() {
  COMPREPLY=()
  local reply
  while IFS= read -r reply; do COMPREPLY+=("$reply"); done < <(omnix __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  [[ ${#COMPREPLY[@]} -eq 0 ]] && compopt -o default 2>/dev/null
}
complete -F _omnix omnix
)";

constexpr char kZsh[] = R"(#compdef omnix
_omnix() {
  local -a replies
  replies=("${(@f)$(omnix __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  replies=("${(@)replies:#}")
  if (( ${#replies} )); then compadd -- "${replies[@]}"; else _files; fi
}
compdef _omnix omnix
)";

constexpr char kFish[] = R"(function __omnix_complete
  set -l words (commandline -opc) (commandline -ct)
  omnix __complete $words[2..-1] 2>/dev/null
end
complete -c omnix -a '(__omnix_complete)'
)";

// Completion must feel instant: without an orchestrator it simply offers no incidents.
constexpr double kAskTimeoutSeconds = 0.5;

const CLI::App* FindCommand(const CLI::App& app, const std::string& word) {
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == word) return command;
  }
  return nullptr;
}

// The option of the command (or of the whole program) that `word` names, if that option takes a value.
bool TakesValue(const CLI::App& app, const CLI::App& command, const std::string& word) {
  for (const CLI::App* owner : {&command, &app}) {
    for (const CLI::Option* option : owner->get_options()) {
      if (!option->get_positional() && option->check_name(word)) return option->get_items_expected_max() > 0;
    }
  }
  return false;
}

std::vector<std::string> OpenIncidents(Session& session) {
  session.options().timeout_s = kAskTimeoutSeconds;
  v1::ListIncidentsRequest request;
  request.set_open_only(true);
  std::vector<std::string> ids;
  if (const auto list = session.client().Call(&v1::Operator::Stub::ListIncidents, request); list.ok()) {
    for (const auto& incident : list->incidents()) ids.push_back(incident.id());
  }
  return ids;
}

std::vector<std::string> OptionNames(const CLI::App& app, const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* owner : {&command, &app}) {
    for (const CLI::Option* option : owner->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

bool HasIncidentArgument(const CLI::App& command) {
  const auto options = command.get_options();
  return std::any_of(options.begin(), options.end(),
                     [](const CLI::Option* option) { return option->get_name(true, false) == "INC"; });
}

}  // namespace

std::string CompletionScript(const std::string& shell) {
  if (shell == "zsh") return kZsh;
  return shell == "fish" ? kFish : kBash;
}

std::vector<std::string> Completions(const CLI::App& app, Session& session, const std::vector<std::string>& words) {
  const std::string prefix = words.empty() ? "" : words.back();
  const CLI::App* command = &app;
  std::string option_before;
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    const bool is_value = !option_before.empty();
    option_before.clear();
    if (is_value) continue;
    if (words[i].starts_with("-")) {
      if (TakesValue(app, *command, words[i])) option_before = words[i];
    } else if (const CLI::App* next = FindCommand(*command, words[i])) {
      command = next;
    }
  }
  std::vector<std::string> candidates;
  if (option_before == "-o" || option_before == "--output") {
    candidates = {"table", "json", "yaml"};
  } else if (!option_before.empty()) {
    return {};
  } else if (prefix.starts_with("-")) {
    candidates = OptionNames(app, *command);
  } else if (command->get_name() == "completion") {
    candidates = kShells;
  } else if (HasIncidentArgument(*command)) {
    candidates = OpenIncidents(session);
  } else {
    for (const CLI::App* next : command->get_subcommands([](const CLI::App*) { return true; })) {
      candidates.push_back(next->get_name());
    }
  }
  std::erase_if(candidates,
                [&](const std::string& word) { return !word.starts_with(prefix) || word == kCompleteCommand; });
  std::sort(candidates.begin(), candidates.end());
  candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
  return candidates;
}

}  // namespace omnix
