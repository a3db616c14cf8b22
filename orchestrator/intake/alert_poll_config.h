// Which monitors omnixd asks for their alerts (`omnixd --poll FILE`; the schema is alert_poll.proto).
#pragma once

#include <omnix/v1/alert_poll.pb.h>

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace omnix {

// Each has a thread of its own.
inline constexpr int kMaxAlertPolls = 32;
inline constexpr absl::Duration kDefaultPollInterval = absl::Seconds(15);
inline constexpr absl::Duration kDefaultPollTimeout = absl::Seconds(10);
inline constexpr absl::Duration kDefaultPollSettle = absl::Minutes(2);

// The file with its defaults filled in. Errors: those of ReadFile; INVALID_ARGUMENT with every mistake, each with file,
// line and key.
absl::StatusOr<v1::AlertPolls> LoadAlertPolls(const std::string& path);

}  // namespace omnix
