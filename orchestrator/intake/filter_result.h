// From what a filter gives (see formats/lib.jq) to alerts.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/json.h"
#include "orchestrator/intake/parsed_alerts.h"

namespace omnix {

// `output` is what the format's `alerts` gave. Errors: FAILED_PRECONDITION (it refused all there was, names the first
// field), RESOURCE_EXHAUSTED (more than kMaxAlertsPerBody), INTERNAL (no output as lib.jq describes: the filter is
// wrong).
absl::StatusOr<ParsedAlerts> ReadFilterOutput(const Json& output, const std::string& format, absl::Time received_at);

// An alert of unknown severity that keeps `body` (redacted, cut) in its description: what arrived, for people to read.
// `why`: why it could not be read. Sent again it is the same alert.
v1::Alert UnreadAlert(const Json& body, const std::string& format, const std::string& why, absl::Time received_at);

// Puts the number of alerts that the sender left out on each alert, where there are any.
void MarkTruncated(ParsedAlerts* parsed);

}  // namespace omnix
