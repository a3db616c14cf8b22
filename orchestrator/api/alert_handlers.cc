#include <algorithm>

#include "common/crash_point.h"
#include "common/json.h"
#include "common/status.h"
#include "orchestrator/api/handlers.h"
#include "orchestrator/api/pagerduty_answers.h"

namespace omnix {
namespace {

constexpr unsigned kBadRequest = 400;
constexpr unsigned kTooLarge = 413;
constexpr unsigned kUnprocessable = 422;
constexpr unsigned kOk = 200;

// What the intake says of a body, in HTTP.
ApiResponse IntakeProblem(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return Problem(kBadRequest, Message(status));
    case absl::StatusCode::kFailedPrecondition:
      return Problem(kUnprocessable, Message(status));
    case absl::StatusCode::kResourceExhausted:
      return Problem(kTooLarge, Message(status) + "; set max_alerts in Alertmanager's webhook_configs");
    default:
      return Problem(status);
  }
}

ApiResponse Accepted(const ParsedAlerts& parsed, std::vector<std::string> fingerprints,
                     std::vector<DeskResult> results) {
  Json::array_t alerts;
  alerts.reserve(results.size());
  for (size_t i = 0; i < results.size() && i < fingerprints.size(); ++i) {
    DeskResult& result = results[i];
    // Not by a list of pairs, which would copy each value twice.
    Json::object_t alert;
    alert["fingerprint"] = std::move(fingerprints[i]);
    alert["incident_id"] = std::move(result.incident_id);
    alert["opened"] = result.opened;
    alert["duplicate"] = result.duplicate;
    if (result.pending) alert["pending"] = true;
    if (!result.silenced_by.empty()) alert["silenced_by"] = std::move(result.silenced_by);
    alerts.emplace_back(std::move(alert));
  }
  Json body;
  body["format"] = parsed.format;
  body["alerts"] = std::move(alerts);
  if (!parsed.note.empty()) body["note"] = parsed.note;
  if (!parsed.warnings.empty()) body["warnings"] = parsed.warnings;
  if (parsed.truncated > 0) {
    body["truncated_alerts"] = parsed.truncated;
    body["warning"] =
        fmt::format("the sender left out {} alerts of this group: raise its max_alerts", parsed.truncated);
  }
  ApiResponse response;
  response.status = kOk;
  response.body = DumpJson(body);
  return response;
}

// Where one body is on its way from the intake to the answer.
class Delivery : public std::enable_shared_from_this<Delivery> {
 public:
  Delivery(const ApiParts& parts, bool pagerduty, std::shared_ptr<Responder> responder)
      : parts_(parts), pagerduty_(pagerduty), responder_(std::move(responder)) {}

  void OnRead(absl::StatusOr<ParsedAlerts> parsed) {
    if (!parsed.ok()) {
      return responder_->Send(pagerduty_ ? PagerDutyProblem(parsed.status()) : IntakeProblem(parsed.status()));
    }
    parsed_ = *std::move(parsed);
    if (parts_.heartbeats != nullptr) parts_.heartbeats->SignByFormat(parsed_.format);
    pagerduty_ = parsed_.reply == ReplyStyle::kPagerDuty;
    if (!parsed_.subscription.topic.empty() && parts_.sns != nullptr) parts_.sns->OnRequest(parsed_.subscription);
    // A handshake, a test, an acknowledgement: there is nothing to keep.
    if (parsed_.alerts.empty()) return OnKept(std::vector<DeskResult>());
    for (const v1::Alert& alert : parsed_.alerts) fingerprints_.push_back(alert.fingerprint());
    OMNIX_CRASH_POINT("alerts.parsed");
    if (parts_.silences == nullptr) return IngestUnsilenced();
    parts_.silences->IngestAlerts(std::move(parsed_.alerts),
                                  [self = shared_from_this()](absl::StatusOr<std::vector<DeskResult>> results) {
                                    self->OnKept(std::move(results));
                                  });
  }

 private:
  void IngestUnsilenced() {
    parts_.port->IngestAlerts(std::move(parsed_.alerts),
                              [self = shared_from_this()](absl::StatusOr<std::vector<IngestedAlert>> results) {
                                if (!results.ok()) return self->OnKept(results.status());
                                std::vector<DeskResult> kept;
                                for (IngestedAlert& result : *results) kept.push_back({std::move(result)});
                                self->OnKept(std::move(kept));
                              });
  }
  void OnKept(absl::StatusOr<std::vector<DeskResult>> results) {
    OMNIX_CRASH_POINT("alerts.before_answer");
    if (!results.ok()) return responder_->Send(Problem(results.status()));
    const auto silenced = std::ranges::count_if(*results, [](const DeskResult& r) { return !r.silenced_by.empty(); });
    parts_.metrics->CountAlerts(parsed_.format, results->size(), static_cast<size_t>(silenced));
    responder_->Send(pagerduty_ ? PagerDutyAccepted(fingerprints_, parsed_.reply_key)
                                : Accepted(parsed_, std::move(fingerprints_), *std::move(results)));
    OMNIX_CRASH_POINT("alerts.answered");
  }

  const ApiParts parts_;
  // Who asks expects PagerDuty's answers.
  bool pagerduty_;
  std::shared_ptr<Responder> responder_;
  ParsedAlerts parsed_;
  std::vector<std::string> fingerprints_;
};

}  // namespace

ApiHandler AlertsHandler(const ApiParts& parts, const std::string& format) {
  return [parts, format](const ApiRequest& request, std::shared_ptr<Responder> responder) {
    const auto named = request.parameters.find("format");
    AlertBody body;
    body.format = named == request.parameters.end() ? format : named->second;
    body.headers = request.headers;
    body.bytes = request.body;
    body.received_at = parts.clock->Now();
    const auto delivery = std::make_shared<Delivery>(parts, body.format == "pagerduty", std::move(responder));
    parts.intake->Read(std::move(body),
                       [delivery](absl::StatusOr<ParsedAlerts> parsed) { delivery->OnRead(std::move(parsed)); });
  };
}

}  // namespace omnix
