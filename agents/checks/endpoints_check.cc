// endpoints: every endpoint that the model declares for the service, through its base_url, WebSocket ones included.
// Only what changes nothing is probed: GET, HEAD, OPTIONS, and what is declared `safe`. One result for each endpoint.
// An answer that takes longer than the endpoint's max_duration fails, with the attribute error: slow.
#include "agents/checks/budget.h"
#include "agents/checks/check.h"
#include "agents/checks/http_broker.h"
#include "agents/checks/http_tools.h"
#include "agents/checks/result.h"
#include "agents/checks/url.h"
#include "agents/checks/websocket_client.h"
#include "common/status.h"
#include "common/time.h"

namespace omnix {
namespace {

constexpr uint32_t kDefaultWeight = 5;

std::string MethodOf(const v1::Endpoint& endpoint) { return endpoint.method().empty() ? "GET" : endpoint.method(); }

v1::CheckResult ProbeWebSocket(const v1::Check& check, const std::string& url, const CheckContext& context) {
  WebSocketRequest request;
  request.url = url;
  request.timeout = Budget(context).ForOne();
  if (!context.system.origins().empty()) request.headers.emplace_back("Origin", context.system.origins(0).url());
  const auto outcome = Converse(context, request);
  if (!outcome.ok()) return UnansweredResult(check, outcome.status());
  const bool served = outcome->accepted || WantsCredentials(outcome->status);
  v1::CheckResult result = MakeResult(check, served ? v1::CHECK_STATUS_PASSED : v1::CHECK_STATUS_FAILED,
                                      fmt::format("WebSocket {}: {}", url, outcome->status));
  result.set_expected("upgrade accepted");
  result.set_observed(std::to_string(outcome->status));
  auto& attributes = *result.mutable_attributes();
  attributes["status"] = std::to_string(outcome->status);
  attributes["websocket"] = "true";
  return result;
}

v1::CheckResult ProbeHttp(const v1::Check& check, const v1::Endpoint& endpoint, const std::string& url,
                          const CheckContext& context) {
  HttpRequest request;
  request.method = MethodOf(endpoint);
  request.url = url;
  request.body = endpoint.body();
  if (!request.body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  request.timeout = Budget(context).ForOne();
  request.max_body_bytes = kMaxCheckBodyBytes;
  const auto response = Send(context, request);
  if (!response.ok()) return UnansweredResult(check, response.status());
  const std::vector<int> statuses(endpoint.status().begin(), endpoint.status().end());
  const bool served =
      StatusMatches(response->status, statuses) || (statuses.empty() && WantsCredentials(response->status));
  const std::string expected = statuses.empty() ? "served (below 400, 401 or 403)" : StatusesText(statuses);
  const bool slow = served && endpoint.has_max_duration() && response->duration > FromProto(endpoint.max_duration());
  std::string mistake = served ? "" : ", expected " + expected;
  if (slow) {
    mistake = fmt::format(" after {}, expected within {}", omnix::FormatDuration(response->duration),
                          omnix::FormatDuration(FromProto(endpoint.max_duration())));
  }
  v1::CheckResult result = MakeResult(check, served && !slow ? v1::CHECK_STATUS_PASSED : v1::CHECK_STATUS_FAILED,
                                      fmt::format("{} {}: {}{}", request.method, url, response->status, mistake));
  result.set_expected(expected);
  result.set_observed(std::to_string(response->status));
  DescribeExchange(request, *response, &result);
  if (slow) (*result.mutable_attributes())["error"] = "slow";
  return result;
}

v1::CheckResult Probe(const v1::Check& check, const v1::Service& service, const v1::Endpoint& endpoint,
                      const CheckContext& context) {
  const std::string url = JoinUrl(service.base_url(), endpoint.path());
  v1::CheckResult result;
  if (endpoint.websocket()) {
    result = ProbeWebSocket(check, url, context);
  } else if (endpoint.path().find('{') != std::string::npos) {
    result = NothingToCheck(
        check, fmt::format("{} has a placeholder; declare a path that can be requested as it is", endpoint.path()));
  } else if (!IsSafeMethod(MethodOf(endpoint)) && !endpoint.safe()) {
    result = NothingToCheck(check, fmt::format("{} {} could change something and is not declared safe",
                                               MethodOf(endpoint), endpoint.path()));
  } else {
    result = ProbeHttp(check, endpoint, url, context);
  }
  result.set_name(
      fmt::format("{}: {} {}", check.name(), endpoint.websocket() ? "WebSocket" : MethodOf(endpoint), endpoint.path()));
  auto& attributes = *result.mutable_attributes();
  attributes["url"] = url;
  attributes["method"] = MethodOf(endpoint);
  attributes["path"] = endpoint.path();
  return result;
}

std::vector<v1::CheckResult> Run(const v1::Check& check, const Json&, CheckContext& context) {
  const auto service = ServiceOf(check, context.system);
  if (!service.ok()) return {ErrorResult(check, service.status())};
  if ((*service)->base_url().empty())
    return {NothingToCheck(check, fmt::format("service {} has no base_url", check.service()))};
  if ((*service)->endpoints().empty())
    return {NothingToCheck(check, fmt::format("service {} declares no endpoints", check.service()))};
  return RunPieces(check, context, static_cast<size_t>((*service)->endpoints_size()), [&](size_t i) {
    return Probe(check, **service, (*service)->endpoints(static_cast<int>(i)), context);
  });
}

}  // namespace

CheckKind EndpointsCheck() { return {"endpoints", kDefaultWeight, {}, Run}; }

}  // namespace omnix
