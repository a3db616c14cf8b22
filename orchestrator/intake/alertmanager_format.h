// Prometheus Alertmanager's webhook, version 4, and what speaks like it (Grafana, older senders); further fields are
// ignored.
//
// Each alert of the group is one alert. What an alert lacks is taken from the group: its status, and alertname and
// severity of the common labels (severity only where the common labels don't contradict the alert's own). Fingerprint:
// the sender's, else LabelFingerprint of the alert's labels. Subject: the first of the labels service, instance, host,
// job.
#pragma once

#include "orchestrator/intake/alert_format.h"

namespace omnix {

absl::StatusOr<ParsedAlerts> ParseAlertmanager(const Json& body, absl::Time received_at);

}  // namespace omnix
