#include "orchestrator/playbook/checks.h"

#include "common/status.h"
#include "orchestrator/playbook/jq.h"

namespace omnix {

void CheckJq(const std::string& program, const std::string& path, YamlReport* report) {
  if (program.empty()) return;
  const auto compiled = JqProgram::Compile(program);
  if (!compiled.ok()) report->Add(path, Message(compiled.status()));
}

}  // namespace omnix
