#include "orchestrator/intake/polled_body.h"

#include <optional>

#include "common/status.h"
#include "orchestrator/intake/alert_time.h"
#include "orchestrator/intake/body_parser.h"
#include "orchestrator/intake/parsed_alerts.h"

namespace omnix {
namespace {

const Json& At(const Json& value, const char* key) {
  static const Json* const kNull = new Json();
  if (!value.is_object()) return *kNull;
  const auto found = value.find(key);
  return found == value.end() ? *kNull : *found;
}

std::string Text(const Json& value) { return value.is_string() ? value.get<std::string>() : ""; }

std::map<std::string, std::string> Labels(const Json& alert) {
  std::map<std::string, std::string> labels;
  if (!At(alert, "labels").is_object()) return labels;
  for (const auto& [name, value] : At(alert, "labels").items()) {
    if (value.is_string() && !Text(value).empty()) labels[name] = Text(value);
  }
  return labels;
}

// Where the list of alerts stands; null: this is no answer of the API.
const Json* AlertsOf(v1::AlertPollKind kind, const Json& body) {
  const Json& list = kind == v1::ALERT_POLL_KIND_ALERTMANAGER ? body : At(At(body, "data"), "alerts");
  return list.is_array() ? &list : nullptr;
}

struct PolledAlert {
  std::string fingerprint;
  bool fires = false;
  Json starts_at;
  Json generator;
};

std::optional<PolledAlert> ReadAlert(v1::AlertPollKind kind, const Json& alert) {
  const auto labels = Labels(alert);
  if (labels.empty()) return std::nullopt;
  PolledAlert read;
  read.fingerprint = Text(At(alert, "fingerprint"));
  if (read.fingerprint.empty()) read.fingerprint = AlertmanagerFingerprint(labels);
  if (kind == v1::ALERT_POLL_KIND_ALERTMANAGER) {
    read.fires = Text(At(At(alert, "status"), "state")) == "active";
    read.starts_at = At(alert, "startsAt");
    read.generator = At(alert, "generatorURL");
  } else {
    read.fires = Text(At(alert, "state")) == "firing";
    read.starts_at = At(alert, "activeAt");
  }
  return read;
}

}  // namespace

std::string AlertmanagerFingerprint(const std::map<std::string, std::string>& labels) {
  constexpr uint64_t kOffset = 14'695'981'039'346'656'037ULL;
  constexpr uint64_t kPrime = 1'099'511'628'211ULL;
  constexpr char kSeparator = '\xff';
  uint64_t hash = kOffset;
  const auto add = [&hash](const std::string& text) {
    for (const char c : text + kSeparator) hash = (hash ^ static_cast<unsigned char>(c)) * kPrime;
  };
  for (const auto& [name, value] : labels) {
    add(name);
    add(value);
  }
  return fmt::format("{:016x}", hash);
}

absl::StatusOr<PolledBody> ReadPolledBody(v1::AlertPollKind kind, const std::string& bytes,
                                          const std::string& external_url) {
  OMNIX_ASSIGN_OR_RETURN(const ParsedBody body, ParseBody(bytes));
  const Json* list = AlertsOf(kind, body.value);
  if (list == nullptr) {
    return InvalidArgument("the answer is no list of alerts: does `kind` fit what listens at `url`?");
  }
  if (list->size() > kMaxAlertsPerBody) {
    return ResourceExhausted("{} alerts, at most {} are taken", list->size(), kMaxAlertsPerBody);
  }
  PolledBody polled;
  Json alerts = Json::array();
  for (const Json& alert : *list) {
    const auto read = ReadAlert(kind, alert);
    if (!read) return InvalidArgument("the answer's list holds something that is no alert with labels");
    if (!read->fires) {
      polled.held.insert(read->fingerprint);
      continue;
    }
    alerts.push_back({{"status", "firing"},
                      {"labels", At(alert, "labels")},
                      {"annotations", At(alert, "annotations")},
                      {"startsAt", read->starts_at},
                      {"generatorURL", read->generator},
                      {"fingerprint", read->fingerprint}});
  }
  if (!alerts.empty()) {
    polled.webhook = {{"version", "4"},
                      {"groupKey", "omnix/poll"},
                      {"status", "firing"},
                      {"externalURL", external_url},
                      {"alerts", std::move(alerts)}};
  }
  return polled;
}

absl::StatusOr<absl::Time> ReadPolledStart(v1::AlertPollKind kind, const std::string& bytes) {
  OMNIX_ASSIGN_OR_RETURN(const ParsedBody body, ParseBody(bytes));
  const Json& started =
      kind == v1::ALERT_POLL_KIND_ALERTMANAGER ? At(body.value, "uptime") : At(At(body.value, "data"), "startTime");
  OMNIX_ASSIGN_OR_RETURN(const std::optional<absl::Time> time, ReadAlertTime(started));
  if (!time) return InvalidArgument("the answer does not say when the monitor started");
  return *time;
}

std::string PolledAlertsPath(v1::AlertPollKind kind) {
  // All of them: one that is silenced has not ended.
  return kind == v1::ALERT_POLL_KIND_ALERTMANAGER ? "/api/v2/alerts" : "/api/v1/alerts";
}

std::string PolledStatusPath(v1::AlertPollKind kind) {
  return kind == v1::ALERT_POLL_KIND_ALERTMANAGER ? "/api/v2/status" : "/api/v1/status/runtimeinfo";
}

}  // namespace omnix
