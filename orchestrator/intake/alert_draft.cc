#include "orchestrator/intake/alert_draft.h"

#include <optional>

#include "common/status.h"
#include "common/time.h"
#include "orchestrator/intake/alert_fields.h"
#include "orchestrator/intake/alert_time.h"

namespace omnix {
namespace {

constexpr size_t kMaxGivenTimeBytes = 64;

// Text as people would write it; nothing for what is no scalar.
std::optional<std::string> ScalarText(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean() || value.is_number()) return DumpJson(value);
  return std::nullopt;
}

std::string TextAt(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? "" : ScalarText(*found).value_or("");
}

std::map<std::string, std::string> TextsAt(const Json& object, const char* key) {
  std::map<std::string, std::string> texts;
  const auto found = object.find(key);
  if (found == object.end() || !found->is_object()) return texts;
  for (const auto& [name, value] : found->items()) {
    if (auto text = ScalarText(value)) texts.emplace(name, *std::move(text));
  }
  return texts;
}

absl::Time UsableTime(const Json& given, const char* label, absl::Time received_at, v1::Alert* alert) {
  const absl::StatusOr<std::optional<absl::Time>> time = ReadAlertTime(given);
  if (time.ok() && !time->has_value()) return received_at;
  if (time.ok() && **time >= absl::UnixEpoch() && **time <= received_at + kMaxClockSkew) return **time;
  (*alert->mutable_labels())[label] = AlertLine(ScalarText(given).value_or("").substr(0, kMaxGivenTimeBytes));
  return received_at;
}

std::string FingerprintOf(const AlertDraft& draft, const std::string& format) {
  if (!draft.fingerprint.empty()) return BoundedFingerprint(draft.fingerprint);
  if (!draft.identity.empty()) return format + ":" + LabelFingerprint(draft.identity);
  if (!draft.labels.empty()) return LabelFingerprint(draft.labels);
  return format + ":" + LabelFingerprint({{"title", draft.title}, {"subject", draft.subject}});
}

}  // namespace

absl::StatusOr<AlertDraft> ReadAlertDraft(const Json& value) {
  if (!value.is_object()) return InvalidArgument("an alert must be an object");
  AlertDraft draft;
  draft.title = TextAt(value, "title");
  if (draft.title.empty()) return InvalidArgument("an alert without a title");
  draft.description = TextAt(value, "description");
  draft.severity = TextAt(value, "severity");
  draft.resolved = TextAt(value, "status") == "resolved";
  draft.fingerprint = TextAt(value, "fingerprint");
  draft.identity = TextsAt(value, "identity");
  draft.labels = TextsAt(value, "labels");
  draft.subject = TextAt(value, "subject");
  draft.starts_at = value.value("starts_at", Json());
  draft.ends_at = value.value("ends_at", Json());
  const auto links = value.find("links");
  if (links == value.end() || !links->is_array()) return draft;
  for (const Json& link : *links) {
    if (link.is_string()) draft.links.push_back(link.get<std::string>());
  }
  return draft;
}

v1::Alert FinishAlert(const AlertDraft& draft, const std::string& format, absl::Time received_at) {
  v1::Alert alert;
  alert.set_source(format);
  alert.set_fingerprint(FingerprintOf(draft, format));
  alert.set_title(AlertLine(draft.title));
  alert.set_description(AlertText(draft.description));
  alert.set_severity(ParseSeverity(draft.severity).value_or(v1::SEVERITY_UNKNOWN));
  alert.set_status(draft.resolved ? v1::ALERT_STATUS_RESOLVED : v1::ALERT_STATUS_FIRING);
  alert.set_subject(AlertLine(draft.subject));
  SetLabels(draft.labels, &alert);
  *alert.mutable_starts_at() = ToProto(UsableTime(draft.starts_at, "omnix_given_starts_at", received_at, &alert));
  if (draft.resolved) {
    *alert.mutable_ends_at() = ToProto(UsableTime(draft.ends_at, "omnix_given_ends_at", received_at, &alert));
  }
  *alert.mutable_received_at() = ToProto(received_at);
  for (const std::string& link : draft.links) AddLink(link, &alert);
  return alert;
}

}  // namespace omnix
