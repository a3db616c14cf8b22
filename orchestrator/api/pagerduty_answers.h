// Answers as PagerDuty's Events API v2 gives them, so that programs that post to PagerDuty can post here unchanged.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "orchestrator/api/http_message.h"

namespace omnix {

// 202 with the deduplication key: what the sender resolves the alert by. It is that of the alert, and where there is no
// alert to keep (an acknowledgement) the sender's own.
ApiResponse PagerDutyAccepted(const std::vector<std::string>& fingerprints, const std::string& given_key);

// What the intake says of a body: 400 "invalid event" with errors; 413; 503, which senders repeat.
ApiResponse PagerDutyProblem(const absl::Status& status);

}  // namespace omnix
