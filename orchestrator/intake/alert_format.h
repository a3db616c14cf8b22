// What an alert format is: a pure function from a request's JSON body to alerts.
#pragma once

#include <omnix/v1/alert.pb.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/json.h"

namespace omnix {

// Alerts of one body. A monitor that groups more is told to send smaller groups.
inline constexpr size_t kMaxAlertsPerBody = 10'000;

// What a format read.
struct ParsedAlerts {
  std::vector<v1::Alert> alerts;
  // Alerts that the monitor itself left out of the body. Each kept alert bears the number as label
  // `omnix_truncated_alerts`.
  uint64_t truncated = 0;
};

// Reads a body received at `received_at`. Pure and thread-safe. Errors: INVALID_ARGUMENT naming the field by JSON
// pointer
// ("/alerts/0/labels: expected an object, found a number"), RESOURCE_EXHAUSTED (more than kMaxAlertsPerBody).
using ParseAlertsFunction = std::function<absl::StatusOr<ParsedAlerts>(const Json& body, absl::Time received_at)>;

struct AlertFormat {
  // As it stands in the URL: POST /v1/alerts/<name>.
  std::string name;
  // One line for people.
  std::string description;
  ParseAlertsFunction parse;
};

}  // namespace omnix
