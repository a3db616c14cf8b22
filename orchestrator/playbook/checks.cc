#include "orchestrator/playbook/checks.h"

#include "common/status.h"
#include "orchestrator/playbook/jq.h"

namespace omnix {

void CheckJq(const std::string& program, const std::string& path, YamlReport* report) {
  if (program.empty()) return;
  const auto compiled = JqProgram::Compile(program);
  if (!compiled.ok()) report->Add(path, Message(compiled.status()));
}

void CheckName(const std::string& name, const std::string& path, std::set<std::string>* seen, YamlReport* report) {
  constexpr const char kAllowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  if (name.empty()) return report->Add(path, "a name is required");
  if (name.size() > kMaxNameBytes) {
    return report->Add(path, fmt::format("a name may have at most {} characters", kMaxNameBytes));
  }
  if (name.find_first_not_of(kAllowed) != std::string::npos) {
    return report->Add(path, fmt::format("\"{}\" is no name; use letters, digits, \".\", \"_\" and \"-\"", name));
  }
  if (!seen->insert(name).second) report->Add(path, fmt::format("the name {} is taken already", name));
}

}  // namespace omnix
