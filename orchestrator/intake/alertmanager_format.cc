#include "orchestrator/intake/alertmanager_format.h"

#include <array>
#include <map>

#include "common/status.h"
#include "common/time.h"
#include "orchestrator/intake/alert_fields.h"
#include "orchestrator/intake/json_fields.h"

namespace omnix {
namespace {

using Strings = std::map<std::string, std::string>;

constexpr std::array kSubjectLabels = {"service", "instance", "host", "job"};
constexpr std::array kLinkFields = {"generatorURL", "dashboardURL", "panelURL", "silenceURL"};
constexpr std::array kLinkAnnotations = {"runbook_url", "runbook", "dashboard"};

// What the alerts of one body share.
struct Group {
  std::string status;
  Strings labels;
  std::string external_url;
  uint64_t truncated = 0;
};

const std::string& Value(const Strings& strings, const std::string& key) {
  static const std::string* const kEmpty = new std::string();
  const auto found = strings.find(key);
  return found == strings.end() ? *kEmpty : found->second;
}

// True where no label of the alert has another value among the common ones.
bool Agree(const Strings& own, const Strings& common) {
  for (const auto& [name, value] : common) {
    const auto found = own.find(name);
    if (found != own.end() && found->second != value) return false;
  }
  return true;
}

absl::StatusOr<v1::AlertStatus> StatusOf(const JsonFields& fields, const Group& group) {
  OMNIX_ASSIGN_OR_RETURN(std::string status, fields.String("status"));
  if (status.empty()) status = group.status;
  if (status.empty() || status == "firing") return v1::ALERT_STATUS_FIRING;
  if (status == "resolved") return v1::ALERT_STATUS_RESOLVED;
  return InvalidArgument("{}: expected \"firing\" or \"resolved\"", fields.PointerTo("status"));
}

v1::Severity SeverityOf(const Strings& labels, const Group& group) {
  std::string word = Value(labels, "severity");
  if (word.empty() && Agree(labels, group.labels)) word = Value(group.labels, "severity");
  return ParseSeverity(word).value_or(v1::SEVERITY_UNKNOWN);
}

void SetTexts(const Strings& labels, const Strings& annotations, const Group& group, v1::Alert* alert) {
  const std::string& summary = Value(annotations, "summary");
  const std::string& description =
      Value(annotations, "description").empty() ? Value(annotations, "message") : Value(annotations, "description");
  std::string title = Value(labels, "alertname");
  if (title.empty()) title = summary;
  if (title.empty()) title = Value(group.labels, "alertname");
  if (title.empty()) title = "alert " + alert->fingerprint();
  alert->set_title(AlertLine(title));
  const bool both = !summary.empty() && !description.empty() && summary != description;
  alert->set_description(AlertText(both ? summary + "\n" + description : summary.empty() ? description : summary));
}

absl::Status SetTimes(const JsonFields& fields, absl::Time received_at, v1::Alert* alert) {
  OMNIX_ASSIGN_OR_RETURN(const std::optional<absl::Time> starts_at, fields.Time("startsAt"));
  OMNIX_ASSIGN_OR_RETURN(const std::optional<absl::Time> ends_at, fields.Time("endsAt"));
  *alert->mutable_starts_at() = ToProto(starts_at.value_or(received_at));
  if (alert->status() == v1::ALERT_STATUS_RESOLVED) *alert->mutable_ends_at() = ToProto(ends_at.value_or(received_at));
  *alert->mutable_received_at() = ToProto(received_at);
  return absl::OkStatus();
}

absl::Status SetLinks(const JsonFields& fields, const Strings& annotations, const Group& group, v1::Alert* alert) {
  for (const char* field : kLinkFields) {
    OMNIX_ASSIGN_OR_RETURN(const std::string url, fields.String(field));
    AddLink(url, alert);
  }
  AddLink(group.external_url, alert);
  for (const char* annotation : kLinkAnnotations) AddLink(Value(annotations, annotation), alert);
  return absl::OkStatus();
}

absl::StatusOr<v1::Alert> ReadAlert(const Json& value, const std::string& pointer, const Group& group,
                                    absl::Time received_at) {
  OMNIX_ASSIGN_OR_RETURN(const JsonFields fields, JsonFields::Of(value, pointer));
  OMNIX_ASSIGN_OR_RETURN(const Strings labels, fields.Strings("labels"));
  OMNIX_ASSIGN_OR_RETURN(const Strings annotations, fields.Strings("annotations"));
  OMNIX_ASSIGN_OR_RETURN(const std::string fingerprint, fields.String("fingerprint"));
  if (fingerprint.empty() && labels.empty()) {
    return InvalidArgument("{}: missing or empty, and no fingerprint either: nothing identifies this alert",
                           fields.PointerTo("labels"));
  }
  v1::Alert alert;
  alert.set_source("alertmanager");
  alert.set_fingerprint(fingerprint.empty() ? LabelFingerprint(labels) : BoundedFingerprint(fingerprint));
  OMNIX_ASSIGN_OR_RETURN(const v1::AlertStatus status, StatusOf(fields, group));
  alert.set_status(status);
  alert.set_severity(SeverityOf(labels, group));
  SetTexts(labels, annotations, group, &alert);
  SetLabels(labels, &alert);
  if (group.truncated > 0) (*alert.mutable_labels())["omnix_truncated_alerts"] = std::to_string(group.truncated);
  for (const char* label : kSubjectLabels) {
    if (alert.subject().empty()) alert.set_subject(AlertLine(Value(labels, label)));
  }
  OMNIX_RETURN_IF_ERROR(SetTimes(fields, received_at, &alert));
  OMNIX_RETURN_IF_ERROR(SetLinks(fields, annotations, group, &alert));
  return alert;
}

}  // namespace

absl::StatusOr<ParsedAlerts> ParseAlertmanager(const Json& body, absl::Time received_at) {
  OMNIX_ASSIGN_OR_RETURN(const JsonFields fields, JsonFields::Of(body, ""));
  Group group;
  OMNIX_ASSIGN_OR_RETURN(group.status, fields.String("status"));
  OMNIX_ASSIGN_OR_RETURN(group.labels, fields.Strings("commonLabels"));
  OMNIX_ASSIGN_OR_RETURN(group.external_url, fields.String("externalURL"));
  OMNIX_ASSIGN_OR_RETURN(group.truncated, fields.Count("truncatedAlerts"));
  OMNIX_ASSIGN_OR_RETURN(const Json* alerts, fields.Array("alerts"));
  if (alerts == nullptr || alerts->empty()) {
    return InvalidArgument("/alerts: missing or empty; expected the alerts of an Alertmanager webhook (version 4)");
  }
  if (alerts->size() > kMaxAlertsPerBody) {
    return ResourceExhausted("/alerts: {} alerts, at most {} are taken at a time", alerts->size(), kMaxAlertsPerBody);
  }
  ParsedAlerts parsed;
  parsed.truncated = group.truncated;
  for (size_t i = 0; i < alerts->size(); ++i) {
    OMNIX_ASSIGN_OR_RETURN(v1::Alert alert, ReadAlert((*alerts)[i], fmt::format("/alerts/{}", i), group, received_at));
    parsed.alerts.push_back(std::move(alert));
  }
  return parsed;
}

}  // namespace omnix
