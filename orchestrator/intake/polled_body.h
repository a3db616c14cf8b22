// What the alert APIs of Alertmanager and Prometheus answer, as the webhook of Alertmanager would have told it.
#pragma once

#include <omnix/v1/alert_poll.pb.h>

#include <map>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "common/json.h"

namespace omnix {

struct PolledBody {
  // A body of version 4 with all alerts that fire; null where none does.
  Json webhook;
  // Fingerprints of those that neither fire nor have ended: silenced or inhibited in Alertmanager, pending in
  // Prometheus.
  std::set<std::string> held;
};

// `external_url` becomes a link of each alert. Errors: INVALID_ARGUMENT (no JSON, or not this API's answer),
// RESOURCE_EXHAUSTED (more than the intake takes). None quotes the body.
absl::StatusOr<PolledBody> ReadPolledBody(v1::AlertPollKind kind, const std::string& bytes,
                                          const std::string& external_url);

// When the monitor itself started, by what it says at PolledStatusPath. Errors: INVALID_ARGUMENT.
absl::StatusOr<absl::Time> ReadPolledStart(v1::AlertPollKind kind, const std::string& bytes);

// Paths of the APIs, with their queries.
std::string PolledAlertsPath(v1::AlertPollKind kind);
std::string PolledStatusPath(v1::AlertPollKind kind);

// The fingerprint that Alertmanager gives to an alert with these labels (FNV-1a over names and values, each ended by
// 0xFF).
std::string AlertmanagerFingerprint(const std::map<std::string, std::string>& labels);

}  // namespace omnix
