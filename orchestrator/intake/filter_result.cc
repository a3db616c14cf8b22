#include "orchestrator/intake/filter_result.h"

#include <array>

#include "common/hash.h"
#include "common/status.h"
#include "orchestrator/intake/alert_draft.h"
#include "orchestrator/intake/alert_fields.h"

namespace omnix {
namespace {

constexpr size_t kShownHashDigits = 16;
// Names under which people usually find what it is about.
constexpr std::array kTitleKeys = {"title", "summary", "subject", "name", "message", "event", "text"};

std::string TextAt(const Json& object, const char* key) {
  if (!object.is_object()) return "";
  const auto found = object.find(key);
  return found == object.end() || !found->is_string() ? "" : found->get<std::string>();
}

std::string GuessedTitle(const Json& body) {
  for (const char* key : kTitleKeys) {
    if (std::string title = TextAt(body, key); !title.empty()) return title;
  }
  return "an alert that Omnix could not read";
}

// "/alerts/3: expected an object".
std::string Refusal(const Json& refused) {
  const std::string pointer = TextAt(refused, "pointer");
  return (pointer.empty() ? "the body" : pointer) + ": " + TextAt(refused, "why");
}

absl::Status ReadAlerts(const Json& list, const std::string& format, absl::Time received_at, ParsedAlerts* parsed) {
  std::string first_refusal;
  size_t read = 0;
  for (const Json& element : list) {
    if (element.is_object() && element.contains("refused")) {
      const std::string why = Refusal(element["refused"]);
      if (first_refusal.empty()) first_refusal = why;
      parsed->warnings.push_back(why + "; kept as an alert of unknown severity");
      parsed->alerts.push_back(UnreadAlert(element.value("body", Json()), format, why, received_at));
      continue;
    }
    const absl::StatusOr<AlertDraft> draft = ReadAlertDraft(element);
    if (!draft.ok()) return Internal("{}", Message(draft.status()));
    parsed->alerts.push_back(FinishAlert(*draft, format, received_at));
    ++read;
  }
  if (read == 0 && !first_refusal.empty()) return FailedPrecondition("{}", first_refusal);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ParsedAlerts> ReadFilterOutput(const Json& output, const std::string& format, absl::Time received_at) {
  const Json list = output.is_array() ? output : output.is_object() ? output.value("alerts", Json()) : Json();
  if (!list.is_array()) return Internal("the filter gave no array of alerts");
  if (list.size() > kMaxAlertsPerBody) {
    return ResourceExhausted("{} alerts, at most {} are taken at a time", list.size(), kMaxAlertsPerBody);
  }
  ParsedAlerts parsed;
  parsed.format = format;
  if (TextAt(output, "reply") == "pagerduty") parsed.reply = ReplyStyle::kPagerDuty;
  parsed.reply_key = BoundedFingerprint(TextAt(output, "reply_key"));
  OMNIX_RETURN_IF_ERROR(ReadAlerts(list, format, received_at, &parsed));
  parsed.note = TextAt(output, "note");
  if (parsed.alerts.empty() && parsed.note.empty()) parsed.note = "the body holds no alert";
  if (!output.is_object()) return parsed;
  const Json confirm = output.value("confirm", Json());
  parsed.subscription = {TextAt(confirm, "topic"), TextAt(confirm, "url")};
  const Json truncated = output.value("truncated", Json());
  if (truncated.is_number_unsigned()) parsed.truncated = truncated.get<uint64_t>();
  MarkTruncated(&parsed);
  return parsed;
}

v1::Alert UnreadAlert(const Json& body, const std::string& format, const std::string& why, absl::Time received_at) {
  const std::string text = DumpJson(body);
  AlertDraft draft;
  draft.title = GuessedTitle(body);
  draft.description = why + ". As it was received:\n" + text;
  draft.fingerprint = format + ":unread:" + Sha256Hex(text).substr(0, kShownHashDigits);
  draft.labels = {{"omnix_unread", why}};
  return FinishAlert(draft, format, received_at);
}

void MarkTruncated(ParsedAlerts* parsed) {
  if (parsed->truncated == 0) return;
  for (v1::Alert& alert : parsed->alerts) {
    (*alert.mutable_labels())["omnix_truncated_alerts"] = std::to_string(parsed->truncated);
  }
}

}  // namespace omnix
