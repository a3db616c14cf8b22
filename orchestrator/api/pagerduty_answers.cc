#include "orchestrator/api/pagerduty_answers.h"

#include "common/json.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr unsigned kAccepted = 202;
constexpr unsigned kBadRequest = 400;
constexpr unsigned kTooLarge = 413;
constexpr std::string_view kPrefix = "pagerduty:";

}  // namespace

ApiResponse PagerDutyAccepted(const std::vector<std::string>& fingerprints, const std::string& given_key) {
  Json body = {{"status", "success"}, {"message", "Event processed"}};
  // The key without the name before it, as the sender gave it or is to give it.
  if (!fingerprints.empty()) {
    const std::string& fingerprint = fingerprints.front();
    body["dedup_key"] = fingerprint.starts_with(kPrefix) ? fingerprint.substr(kPrefix.size()) : fingerprint;
  } else if (!given_key.empty()) {
    body["dedup_key"] = given_key;
  }
  ApiResponse response;
  response.status = kAccepted;
  response.body = DumpJson(body);
  return response;
}

ApiResponse PagerDutyProblem(const absl::Status& status) {
  if (absl::IsResourceExhausted(status)) return Problem(kTooLarge, Message(status));
  if (!absl::IsInvalidArgument(status) && !absl::IsFailedPrecondition(status)) return Problem(status);
  ApiResponse response;
  response.status = kBadRequest;
  response.body =
      DumpJson({{"status", "invalid event"}, {"message", "Event object is invalid"}, {"errors", {Message(status)}}});
  return response;
}

}  // namespace omnix
