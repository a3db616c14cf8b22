#include "orchestrator/intake/omnix_format.h"

#include "common/status.h"
#include "common/time.h"
#include "orchestrator/intake/alert_draft.h"
#include "orchestrator/intake/alert_fields.h"
#include "orchestrator/intake/json_fields.h"

namespace omnix {
namespace {

using Strings = std::map<std::string, std::string>;

absl::Status SetSeverityAndStatus(const JsonFields& fields, v1::Alert* alert) {
  OMNIX_ASSIGN_OR_RETURN(const std::string severity, fields.String("severity"));
  if (!severity.empty()) {
    const std::optional<v1::Severity> parsed = ParseSeverity(severity);
    if (!parsed) {
      return InvalidArgument("{}: expected critical, error, warning, info or unknown", fields.PointerTo("severity"));
    }
    alert->set_severity(*parsed);
  }
  OMNIX_ASSIGN_OR_RETURN(const std::string status, fields.String("status"));
  if (!status.empty() && status != "firing" && status != "resolved") {
    return InvalidArgument("{}: expected \"firing\" or \"resolved\"", fields.PointerTo("status"));
  }
  alert->set_status(status == "resolved" ? v1::ALERT_STATUS_RESOLVED : v1::ALERT_STATUS_FIRING);
  return absl::OkStatus();
}

// As in the other formats: a time that can't be right becomes `received_at`, and a label keeps what was given.
absl::StatusOr<std::optional<absl::Time>> UsableTime(const JsonFields& fields, const char* key, absl::Time received_at,
                                                     v1::Alert* alert) {
  OMNIX_ASSIGN_OR_RETURN(const std::optional<absl::Time> time, fields.Time(key));
  if (!time || (*time >= absl::UnixEpoch() && *time <= received_at + kMaxClockSkew)) return time;
  OMNIX_ASSIGN_OR_RETURN(const std::string given, fields.String(key));
  (*alert->mutable_labels())[std::string("omnix_given_") + key] = AlertLine(given);
  return std::optional(received_at);
}

absl::Status SetTimes(const JsonFields& fields, absl::Time received_at, v1::Alert* alert) {
  OMNIX_ASSIGN_OR_RETURN(const auto starts_at, UsableTime(fields, "starts_at", received_at, alert));
  OMNIX_ASSIGN_OR_RETURN(const auto ends_at, UsableTime(fields, "ends_at", received_at, alert));
  if (starts_at && ends_at && *ends_at < *starts_at) {
    return InvalidArgument("{}: is before starts_at", fields.PointerTo("ends_at"));
  }
  *alert->mutable_starts_at() = ToProto(starts_at.value_or(received_at));
  if (alert->status() == v1::ALERT_STATUS_RESOLVED) *alert->mutable_ends_at() = ToProto(ends_at.value_or(received_at));
  *alert->mutable_received_at() = ToProto(received_at);
  return absl::OkStatus();
}

absl::Status SetLinks(const JsonFields& fields, v1::Alert* alert) {
  OMNIX_ASSIGN_OR_RETURN(const Json* links, fields.Array("links"));
  if (links == nullptr) return absl::OkStatus();
  for (const Json& link : *links) {
    if (!link.is_string()) return InvalidArgument("{}: expected strings", fields.PointerTo("links"));
    AddLink(link.get<std::string>(), alert);
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::Alert> ReadAlert(const Json& value, const std::string& pointer, absl::Time received_at) {
  OMNIX_ASSIGN_OR_RETURN(const JsonFields fields, JsonFields::Of(value, pointer));
  OMNIX_RETURN_IF_ERROR(fields.OnlyKeys({"title", "description", "severity", "status", "fingerprint", "labels",
                                         "subject", "starts_at", "ends_at", "links"}));
  OMNIX_ASSIGN_OR_RETURN(const std::string title, fields.String("title"));
  if (title.empty()) return InvalidArgument("{}: required", fields.PointerTo("title"));
  OMNIX_ASSIGN_OR_RETURN(const std::string description, fields.String("description"));
  OMNIX_ASSIGN_OR_RETURN(const std::string subject, fields.String("subject"));
  OMNIX_ASSIGN_OR_RETURN(const std::string fingerprint, fields.String("fingerprint"));
  OMNIX_ASSIGN_OR_RETURN(const Strings labels, fields.Strings("labels"));
  v1::Alert alert;
  alert.set_source("omnix");
  alert.set_title(AlertLine(title));
  alert.set_description(AlertText(description));
  alert.set_subject(AlertLine(subject));
  SetLabels(labels, &alert);
  Strings identity = labels;
  identity["\xfetitle"] = title;
  identity["\xfesubject"] = subject;
  alert.set_fingerprint(fingerprint.empty() ? LabelFingerprint(identity) : BoundedFingerprint(fingerprint));
  OMNIX_RETURN_IF_ERROR(SetSeverityAndStatus(fields, &alert));
  OMNIX_RETURN_IF_ERROR(SetTimes(fields, received_at, &alert));
  OMNIX_RETURN_IF_ERROR(SetLinks(fields, &alert));
  return alert;
}

}  // namespace

absl::StatusOr<ParsedAlerts> ParseOmnixAlerts(const Json& body, absl::Time received_at) {
  OMNIX_ASSIGN_OR_RETURN(const JsonFields fields, JsonFields::Of(body, ""));
  ParsedAlerts parsed;
  if (!fields.Has("alerts")) {
    OMNIX_ASSIGN_OR_RETURN(v1::Alert alert, ReadAlert(body, "", received_at));
    parsed.alerts.push_back(std::move(alert));
    return parsed;
  }
  OMNIX_RETURN_IF_ERROR(fields.OnlyKeys({"alerts"}));
  OMNIX_ASSIGN_OR_RETURN(const Json* alerts, fields.Array("alerts"));
  if (alerts->empty()) return InvalidArgument("/alerts: is empty");
  if (alerts->size() > kMaxAlertsPerBody) {
    return ResourceExhausted("/alerts: {} alerts, at most {} are taken at a time", alerts->size(), kMaxAlertsPerBody);
  }
  for (size_t i = 0; i < alerts->size(); ++i) {
    OMNIX_ASSIGN_OR_RETURN(v1::Alert alert, ReadAlert((*alerts)[i], fmt::format("/alerts/{}", i), received_at));
    parsed.alerts.push_back(std::move(alert));
  }
  return parsed;
}

}  // namespace omnix
