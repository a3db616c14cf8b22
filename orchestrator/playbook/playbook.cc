#include <spdlog/spdlog.h>

#include "common/file.h"
#include "common/status.h"
#include "orchestrator/playbook/checks.h"
#include "orchestrator/playbook/default_playbook.h"
#include "orchestrator/playbook/jq.h"
#include "orchestrator/playbook/library.h"

namespace omnix {
namespace {

absl::StatusOr<v1::Playbook> ReadPlaybook(const std::string& text, const std::string& name) {
  v1::Playbook playbook;
  YamlReport report(name);
  ParseYaml(text, &playbook, &report);
  CheckPlaybook(playbook, &report);
  OMNIX_RETURN_IF_ERROR(report.status());
  return playbook;
}

bool Matches(const v1::Playbook& playbook, const Json& context) {
  if (playbook.match().empty()) return true;
  const auto program = CachedJqProgram(playbook.match());
  const auto holds = program.ok() ? (*program)->Test(context) : program.status();
  if (!holds.ok())
    spdlog::warn("playbook {}: its match can't be evaluated: {}", playbook.name(), Message(holds.status()));
  return holds.ok() && *holds;
}

}  // namespace

const v1::Playbook& BuiltInPlaybook() {
  // Never fails: a test reads the same text.
  static const v1::Playbook* const playbook =
      new v1::Playbook(ReadPlaybook(kDefaultPlaybookYaml, "default_playbook.yaml").value());
  return *playbook;
}

absl::StatusOr<v1::Playbook> LoadPlaybook(const std::string& path) {
  OMNIX_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxYamlBytes));
  return ReadPlaybook(text, path);
}

const v1::Playbook& SelectPlaybook(const std::vector<v1::Playbook>& playbooks, const Json& context) {
  for (const v1::Playbook& playbook : playbooks) {
    if (Matches(playbook, context)) return playbook;
  }
  return BuiltInPlaybook();
}

}  // namespace omnix
