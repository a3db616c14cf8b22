#include "orchestrator/journal/names.h"

#include <google/protobuf/descriptor.h>

#include "orchestrator/core/names.h"

namespace omnix {

const std::string& EventTypeName(v1::Event::KindCase kind) {
  static const std::string kNone;
  const auto* field = v1::Event::descriptor()->FindFieldByNumber(kind);
  return field == nullptr ? kNone : field->message_type()->name();
}

std::string AlertStatusName(v1::AlertStatus status) {
  switch (status) {
    case v1::ALERT_STATUS_FIRING:
      return "firing";
    case v1::ALERT_STATUS_RESOLVED:
      return "resolved";
    default:
      return "unknown";
  }
}

v1::AlertStatus AlertStatusFromName(const std::string& name) {
  if (name == "firing") return v1::ALERT_STATUS_FIRING;
  return name == "resolved" ? v1::ALERT_STATUS_RESOLVED : v1::ALERT_STATUS_UNSPECIFIED;
}

std::string RiskName(v1::Risk risk) {
  switch (risk) {
    case v1::RISK_LOW:
      return "low";
    case v1::RISK_MEDIUM:
      return "medium";
    case v1::RISK_HIGH:
      return "high";
    default:
      return "unknown";
  }
}

v1::Phase PhaseFromName(const std::string& name) {
  for (int i = v1::Phase_MIN; i <= v1::Phase_MAX; ++i) {
    if (PhaseName(static_cast<v1::Phase>(i)) == name) return static_cast<v1::Phase>(i);
  }
  return v1::PHASE_UNSPECIFIED;
}

v1::Severity SeverityFromName(const std::string& name) {
  for (int i = v1::Severity_MIN; i <= v1::Severity_MAX; ++i) {
    if (SeverityName(static_cast<v1::Severity>(i)) == name) return static_cast<v1::Severity>(i);
  }
  return v1::SEVERITY_UNKNOWN;
}

}  // namespace omnix
