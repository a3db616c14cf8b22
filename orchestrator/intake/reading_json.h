// What a body became, as JSON for people and programs: `omnix alert test`, the expectations beside the samples.
#pragma once

#include "common/json.h"
#include "orchestrator/intake/parsed_alerts.h"

namespace omnix {

// {"format", "alerts": [{"title", "description", "severity", "status", "fingerprint", "subject", "labels", "starts_at",
// "ends_at", "links"}], ...}; "truncated_alerts", "warnings", "note" and "sns_topic" where there are any. What the body
// did not say is null, also a time for which that of arrival was taken.
Json ReadingJson(const ParsedAlerts& parsed);

}  // namespace omnix
