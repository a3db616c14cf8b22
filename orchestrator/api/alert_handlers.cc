#include "common/crash_point.h"
#include "common/json.h"
#include "common/status.h"
#include "orchestrator/api/handlers.h"

namespace omnix {
namespace {

constexpr unsigned kNotFoundStatus = 404;
constexpr unsigned kTooLarge = 413;
constexpr unsigned kUnprocessable = 422;

ApiResponse ParseProblem(const absl::Status& status) {
  if (absl::IsResourceExhausted(status)) {
    return Problem(kTooLarge, Message(status) + "; set max_alerts in Alertmanager's webhook_configs");
  }
  return Problem(kUnprocessable, Message(status));
}

ApiResponse Accepted(const std::vector<std::string>& fingerprints, const std::vector<IngestedAlert>& results,
                     uint64_t truncated) {
  Json alerts = Json::array();
  for (size_t i = 0; i < results.size() && i < fingerprints.size(); ++i) {
    alerts.push_back({{"fingerprint", fingerprints[i]},
                      {"incident_id", results[i].incident_id},
                      {"opened", results[i].opened},
                      {"duplicate", results[i].duplicate}});
  }
  Json body = {{"alerts", std::move(alerts)}};
  if (truncated > 0) {
    body["truncated_alerts"] = truncated;
    body["warning"] = fmt::format("the sender left out {} alerts of this group: raise its max_alerts", truncated);
  }
  ApiResponse response;
  response.body = DumpJson(body);
  return response;
}

}  // namespace

ApiHandler AlertsHandler(const ApiParts& parts) {
  return [parts](const ApiRequest& request, std::shared_ptr<Responder> responder) {
    const std::string& name = request.parameters.at("format");
    const AlertFormat* format = parts.formats->Find(name);
    if (format == nullptr) {
      return responder->Send(Problem(
          kNotFoundStatus, fmt::format("no such alert format; known: {}", fmt::join(parts.formats->Names(), ", "))));
    }
    const absl::StatusOr<Json> body = ParseJson(request.body);
    if (!body.ok()) return responder->Send(Problem(body.status()));
    absl::StatusOr<ParsedAlerts> parsed = format->parse(*body, parts.clock->Now());
    if (!parsed.ok()) return responder->Send(ParseProblem(parsed.status()));
    std::vector<std::string> fingerprints;
    for (const v1::Alert& alert : parsed->alerts) fingerprints.push_back(alert.fingerprint());
    auto done = [responder, metrics = parts.metrics, name, fingerprints = std::move(fingerprints),
                 truncated = parsed->truncated](absl::StatusOr<std::vector<IngestedAlert>> results) {
      OMNIX_CRASH_POINT("alerts.before_answer");
      if (!results.ok()) return responder->Send(Problem(results.status()));
      metrics->CountAlerts(name, results->size());
      responder->Send(Accepted(fingerprints, *results, truncated));
      OMNIX_CRASH_POINT("alerts.answered");
    };
    OMNIX_CRASH_POINT("alerts.parsed");
    parts.port->IngestAlerts(std::move(parsed->alerts), std::move(done));
  };
}

}  // namespace omnix
