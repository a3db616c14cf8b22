// Omnix's own alert format: one alert, or {"alerts": [alert, ...]}.
//
//   {"title": "checkout answers 502", "severity": "critical", "status": "firing", "subject": "gateway", "description":
//   "...",
//    "fingerprint": "checkout-502", "labels": {"site": "eu"}, "starts_at": "2025-09-04T07:14:03Z", "ends_at": "...",
//    "links": ["https://..."]}
//
// Only the title is required; unknown keys are refused. Severity: a word of ParseSeverity, default unknown. Status:
// firing (default) or resolved. Fingerprint: LabelFingerprint of the labels together with title and subject (as "title"
// and "subject" after a byte 0xFE), so that the same alert sent again is the same, and its "resolved" finds it.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/json.h"
#include "orchestrator/intake/parsed_alerts.h"

namespace omnix {

// Errors: INVALID_ARGUMENT naming the field by JSON pointer ("/alerts/0/labels: expected an object, found a number"),
// RESOURCE_EXHAUSTED (more than kMaxAlertsPerBody).
absl::StatusOr<ParsedAlerts> ParseOmnixAlerts(const Json& body, absl::Time received_at);

}  // namespace omnix
