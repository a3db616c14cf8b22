// The ways in which monitors write a time.
#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/json.h"

namespace omnix {

// Text: RFC 3339, also with a blank for the T, "+0000" for "+00:00", no zone (UTC), "UTC" or "GMT" behind it, or dots
// in the date (Zabbix); "Thu, 04 Sep 2025 07:14:03 GMT" (HTTP, mail). Numbers and text of digits: seconds since 1970,
// or milli-, micro- or nanoseconds where seconds would lie beyond the year 5138. Nothing: null, "", 0, the year 1 (Go's
// way of not giving one). Errors: INVALID_ARGUMENT (anything else).
absl::StatusOr<std::optional<absl::Time>> ReadAlertTime(const Json& value);

}  // namespace omnix
