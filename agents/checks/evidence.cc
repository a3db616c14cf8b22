#include "agents/checks/evidence.h"

#include "common/status.h"

namespace omnix {

absl::Status ReadSystem(const Json& input, v1::SystemModel* system) {
  if (!input.is_object() || !input.contains("system") || !input.at("system").is_object()) {
    return InvalidArgument("the task's input has no `system`; the playbook's input must hold {{incident_id, system}}");
  }
  return JsonToMessage(DumpJson(input.at("system")), system, "system");
}

std::string StatusWord(v1::CheckStatus status) {
  switch (status) {
    case v1::CHECK_STATUS_PASSED:
      return "passed";
    case v1::CHECK_STATUS_FAILED:
      return "failed";
    case v1::CHECK_STATUS_WARNING:
      return "warning";
    case v1::CHECK_STATUS_SKIPPED:
      return "skipped";
    default:
      return "error";
  }
}

v1::Evidence ToEvidence(const v1::CheckResult& result, const std::string& id) {
  v1::Evidence evidence;
  evidence.set_id(id);
  evidence.set_source(result.kind());
  evidence.set_component(result.service());
  evidence.set_summary(result.summary());
  evidence.set_excerpt(result.excerpt());
  *evidence.mutable_observed_at() = result.evaluated_at();
  *evidence.mutable_attributes() = result.attributes();
  (*evidence.mutable_attributes())["check"] = result.name();
  (*evidence.mutable_attributes())["check_status"] = StatusWord(result.status());
  return evidence;
}

}  // namespace omnix
