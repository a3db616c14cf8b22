#include "orchestrator/core/names.h"

#include <algorithm>
#include <cctype>

namespace omnix {
namespace {

std::string WithoutPrefix(std::string name, size_t prefix_bytes) {
  name.erase(0, prefix_bytes);
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name;
}

}  // namespace

std::string PhaseName(v1::Phase phase) {
  std::string name = WithoutPrefix(v1::Phase_Name(phase), sizeof("PHASE_") - 1);
  if (!name.empty()) name[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[0])));
  return name;
}

std::string SeverityName(v1::Severity severity) {
  return WithoutPrefix(v1::Severity_Name(severity), sizeof("SEVERITY_") - 1);
}

std::string TaskStateName(v1::TaskState state) {
  return WithoutPrefix(v1::TaskState_Name(state), sizeof("TASK_STATE_") - 1);
}

bool IsClosed(v1::Phase phase) { return phase == v1::PHASE_RESOLVED || phase == v1::PHASE_CANCELLED; }

bool HasEnded(v1::TaskState state) {
  return state == v1::TASK_STATE_SUCCEEDED || state == v1::TASK_STATE_FAILED || state == v1::TASK_STATE_SKIPPED ||
         state == v1::TASK_STATE_CANCELLED;
}

}  // namespace omnix
