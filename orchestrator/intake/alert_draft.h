// An alert as a format reads it out of a body, before it is bounded, redacted and normalized: the one contract between
// the formats (jq filters and the fast path in C++) and Omnix.
#pragma once

#include <omnix/v1/alert.pb.h>

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/json.h"

namespace omnix {

struct AlertDraft {
  std::string title;
  std::string description;
  // A word of ParseSeverity; any other is unknown.
  std::string severity;
  bool resolved = false;
  // The monitor's own key. Empty: LabelFingerprint of `identity` behind "<format>:"; where that is empty too, of the
  // labels; where there are none, of title and subject.
  std::string fingerprint;
  std::map<std::string, std::string> identity;
  std::map<std::string, std::string> labels;
  std::string subject;
  // As ReadAlertTime takes them.
  Json starts_at;
  Json ends_at;
  std::vector<std::string> links;
};

// Reads what a filter gives for one alert: an object with the fields above (status: "firing" or "resolved"). Lenient:
// numbers and booleans become text where text is asked for; what is null or of another type is absent. Errors:
// INVALID_ARGUMENT (no object; no title).
absl::StatusOr<AlertDraft> ReadAlertDraft(const Json& value);

// The alert of `format` that it becomes. An alert that is not resolved has no end. A time that was not given, can't be
// read, lies before 1970 or more than kMaxClockSkew after `received_at` becomes `received_at`; in the last three cases
// the label omnix_given_starts_at (or ..._ends_at) keeps what was given.
inline constexpr absl::Duration kMaxClockSkew = absl::Minutes(10);
v1::Alert FinishAlert(const AlertDraft& draft, const std::string& format, absl::Time received_at);

}  // namespace omnix
