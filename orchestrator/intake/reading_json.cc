#include "orchestrator/intake/reading_json.h"

#include <string>

#include "common/time.h"

namespace omnix {
namespace {

Json OrNull(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json TimeOrNull(const v1::Alert& alert, bool has, const google::protobuf::Timestamp& time) {
  if (!has || FromProto(time) == FromProto(alert.received_at())) return nullptr;
  return omnix::FormatTime(time);
}

const char* SeverityName(v1::Severity severity) {
  switch (severity) {
    case v1::SEVERITY_CRITICAL:
      return "critical";
    case v1::SEVERITY_ERROR:
      return "error";
    case v1::SEVERITY_WARNING:
      return "warning";
    case v1::SEVERITY_INFO:
      return "info";
    default:
      return "unknown";
  }
}

Json AlertJson(const v1::Alert& alert) {
  Json labels = Json::object();
  for (const auto& [name, value] : alert.labels()) labels[name] = value;
  Json links = Json::array();
  for (const std::string& link : alert.links()) links.push_back(link);
  return {{"title", alert.title()},
          {"description", OrNull(alert.description())},
          {"severity", SeverityName(alert.severity())},
          {"status", alert.status() == v1::ALERT_STATUS_RESOLVED ? "resolved" : "firing"},
          {"fingerprint", alert.fingerprint()},
          {"subject", OrNull(alert.subject())},
          {"labels", std::move(labels)},
          {"starts_at", TimeOrNull(alert, alert.has_starts_at(), alert.starts_at())},
          {"ends_at", TimeOrNull(alert, alert.has_ends_at(), alert.ends_at())},
          {"links", std::move(links)}};
}

}  // namespace

Json ReadingJson(const ParsedAlerts& parsed) {
  Json reading = {{"format", parsed.format}, {"alerts", Json::array()}};
  for (const v1::Alert& alert : parsed.alerts) reading["alerts"].push_back(AlertJson(alert));
  if (parsed.truncated > 0) reading["truncated_alerts"] = parsed.truncated;
  if (!parsed.warnings.empty()) reading["warnings"] = parsed.warnings;
  if (!parsed.note.empty()) reading["note"] = parsed.note;
  if (!parsed.subscription.topic.empty()) reading["sns_topic"] = parsed.subscription.topic;
  return reading;
}

}  // namespace omnix
