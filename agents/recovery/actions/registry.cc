#include <algorithm>

#include "agents/recovery/actions/action_kind.h"
#include "common/status.h"

namespace omnix {

const std::vector<ActionKind>& ActionKinds() {
  static const std::vector<ActionKind> kKinds = {
      {"file.replace_text", {"!path", "line", "!old", "!new"}, ReplaceText},
      {"file.insert_lines", {"!path", "!after_line", "!after_text", "!lines"}, InsertLines},
      {"config.set", {"!path", "format", "!pointer", "!value"}, SetConfig},
      {"config.list_add", {"!path", "format", "!pointer", "!values"}, AddToList},
      {"git.revert", {"!repository", "!commit", "!paths"}, RevertCommit},
      {"command.run", {"!service", "!command"}, RunServiceCommand},
  };
  return kKinds;
}

namespace {

std::string Join(const std::vector<std::string_view>& words) {
  std::string out;
  for (std::string_view word : words) {
    if (word.front() == '!') word.remove_prefix(1);
    out += (out.empty() ? "" : ", ") + std::string(word);
  }
  return out;
}

absl::Status CheckParameters(const ActionKind& kind, const Json& with) {
  for (const auto& [name, value] : with.items()) {
    const bool known =
        std::any_of(kind.parameters.begin(), kind.parameters.end(), [&, &key = name](std::string_view parameter) {
          return parameter == key || (parameter.front() == '!' && parameter.substr(1) == key);
        });
    if (!known) return InvalidArgument("unknown parameter '{}'; it knows {}", name, Join(kind.parameters));
  }
  for (const std::string_view parameter : kind.parameters) {
    if (parameter.front() == '!' && !with.contains(std::string(parameter.substr(1)))) {
      return InvalidArgument("parameter '{}' is missing", parameter.substr(1));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RunAction(const v1::Action& action, const v1::SystemModel& system, Workspace& workspace) {
  const std::string context = "action " + action.id() + " (" + action.kind() + "): ";
  std::vector<std::string_view> names;
  for (const ActionKind& kind : ActionKinds()) {
    names.push_back(kind.name);
    if (kind.name != action.kind()) continue;
    const Json with = StructToJson(action.with());
    absl::Status status = CheckParameters(kind, with);
    if (status.ok()) status = kind.run({system, with}, workspace);
    return Annotate(status, context);
  }
  return InvalidArgument("{}unknown kind; there are {}", context, Join(names));
}

absl::StatusOr<std::string> TextParameter(const Json& with, const std::string& name) {
  const auto found = with.find(name);
  if (found == with.end() || !found->is_string()) return InvalidArgument("parameter '{}' must be a text", name);
  return found->get<std::string>();
}

absl::StatusOr<int64_t> NumberParameter(const Json& with, const std::string& name) {
  const auto found = with.find(name);
  if (found == with.end() || !found->is_number_integer())
    return InvalidArgument("parameter '{}' must be a whole number", name);
  return found->get<int64_t>();
}

absl::StatusOr<std::vector<std::string>> TextListParameter(const Json& with, const std::string& name) {
  const auto found = with.find(name);
  const bool texts = found != with.end() && found->is_array() && !found->empty() &&
                     std::all_of(found->begin(), found->end(), [](const Json& item) { return item.is_string(); });
  if (!texts) return InvalidArgument("parameter '{}' must be a list of texts", name);
  return found->get<std::vector<std::string>>();
}

}  // namespace omnix
