// client_calls: everything a frontend calls, read from its sources, must be served by the service that it calls. One
// result for each call.
//   client (name in the system model).
//
// A GET passes where its route exists: below 400, 401 or 403. For other methods nothing is changed: HEAD, then GET is
// sent to the path, and any answer but 404 and 5xx says that the route exists (405 Method Not Allowed is the usual
// one); a declared endpoint that is `safe` is sent as it is. A WebSocket call passes where the upgrade is accepted (or
// wants credentials).
#include <algorithm>
#include <set>

#include "agents/checks/budget.h"
#include "agents/checks/check.h"
#include "agents/checks/http_broker.h"
#include "agents/checks/http_tools.h"
#include "agents/checks/parameters.h"
#include "agents/checks/result.h"
#include "agents/checks/url.h"
#include "agents/checks/websocket_client.h"
#include "agents/sources/client_source.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr uint32_t kDefaultWeight = 5;
constexpr char kUnknownPath[] = "/omnix-no-such-path";

class CallProbe {
 public:
  CallProbe(const v1::Check& check, const v1::Service& service, std::string origin, const CheckContext& context)
      : check_(check), service_(service), origin_(std::move(origin)), context_(context) {}

  v1::CheckResult Run(const ClientCall& call) const {
    const std::string url = JoinUrl(service_.base_url(), call.path);
    v1::CheckResult result = call.websocket              ? WebSocket(url)
                             : IsSafeMethod(call.method) ? Read(call, url)
                                                         : Other(call, url);
    result.set_name(fmt::format("{}: {} {}", check_.name(), call.websocket ? "WebSocket" : call.method, call.path));
    result.set_service(service_.name());
    auto& attributes = *result.mutable_attributes();
    attributes["url"] = url;
    attributes["method"] = call.method;
    attributes["path"] = call.path;
    attributes["file"] = call.literal.location.file();
    attributes["line"] = std::to_string(call.literal.location.line());
    return result;
  }

 private:
  HttpRequest Request(const std::string& method, const std::string& url) const {
    HttpRequest request;
    request.method = method;
    request.url = url;
    // Whether the origin is allowed is the question of `cors`; without it the answer is shared with other checks.
    if (!origin_.empty() && context_.http == nullptr) request.headers.emplace_back("Origin", origin_);
    request.timeout = Budget(context_).ForOne();
    request.max_body_bytes = kMaxCheckBodyBytes;
    return request;
  }

  v1::CheckResult Judged(const HttpRequest& request, const HttpResponse& response, v1::CheckStatus status,
                         const std::string& note) const {
    v1::CheckResult result =
        MakeResult(check_, status, fmt::format("{} {}: {}{}", request.method, request.url, response.status, note));
    result.set_expected("the route exists");
    result.set_observed(std::to_string(response.status));
    DescribeExchange(request, response, &result);
    return result;
  }

  v1::CheckResult Read(const ClientCall& call, const std::string& url) const {
    const HttpRequest request = Request(call.method, url);
    const auto response = Send(context_, request);
    if (!response.ok()) return UnansweredResult(check_, response.status());
    if (IsPageOfUnknownPaths(*response)) {
      v1::CheckResult result = Judged(request, *response, v1::CHECK_STATUS_FAILED,
                                      " with the page that answers every unknown path; the frontend calls it");
      (*result.mutable_attributes())[kFallbackAttribute] = "true";
      return result;
    }
    if (StatusMatches(response->status, {}) || WantsCredentials(response->status)) {
      return Judged(request, *response, v1::CHECK_STATUS_PASSED, "");
    }
    if (call.has_template && response->status == kStatusNotFound && ParentIsServed(url)) {
      return Judged(request, *response, v1::CHECK_STATUS_PASSED,
                    " for a made-up key; the collection above it is served");
    }
    return Judged(request, *response, v1::CHECK_STATUS_FAILED, ", the frontend calls it");
  }

  // A gateway may answer what it does not know with the page of a site that routes in the browser: no answer to a call.
  bool IsPageOfUnknownPaths(const HttpResponse& response) const {
    if (!StatusMatches(response.status, {}) || !response.Header("content-type").starts_with("text/html")) return false;
    const auto unknown = Send(context_, Request("GET", JoinUrl(service_.base_url(), kUnknownPath)));
    return unknown.ok() && unknown->status == response.status && unknown->body == response.body;
  }

  // For "/v1/products/1": whether "/v1/products" is served.
  bool ParentIsServed(const std::string& url) const {
    const size_t slash = url.rfind('/');
    const std::string parent = url.substr(0, slash);
    if (slash == std::string::npos || parent.size() <= JoinUrl(service_.base_url(), "").size()) return false;
    const auto response = Send(context_, Request("GET", parent));
    return response.ok() && !IsAbsent(response->status);
  }

  const v1::Endpoint* SafeEndpoint(const ClientCall& call) const {
    for (const v1::Endpoint& endpoint : service_.endpoints()) {
      if (endpoint.safe() && endpoint.method() == call.method && endpoint.path() == call.path) return &endpoint;
    }
    return nullptr;
  }

  v1::CheckResult Other(const ClientCall& call, const std::string& url) const {
    if (const v1::Endpoint* endpoint = SafeEndpoint(call)) return Declared(*endpoint, url);
    const int known = KnownStatus(context_, {call.method, "HEAD", "GET"}, url);
    if (known != 0 && known != kStatusNotFound) return Known(call, url, known);
    v1::CheckResult result = Known(call, url, known);
    for (const char* method : {"HEAD", "GET"}) {
      // Where its own method is not found, one more that is not is enough.
      const int own = KnownStatus(context_, {call.method}, url);
      if (own != 0 && (KnownStatus(context_, {"HEAD"}, url) == own || KnownStatus(context_, {"GET"}, url) == own))
        break;
      const HttpRequest request = Request(method, url);
      const auto response = Send(context_, request);
      if (!response.ok()) return UnansweredResult(check_, response.status());
      const bool absent = IsAbsent(response->status);
      const std::string note =
          absent ? fmt::format(
                       " (asked with {} in place of {}; declare the endpoint as safe, with a body, to have it called)",
                       method, call.method)
                 : fmt::format(", the route of {} exists", call.method);
      result = Judged(request, *response, absent ? v1::CHECK_STATUS_FAILED : v1::CHECK_STATUS_PASSED, note);
      if (!absent) break;
    }
    return result;
  }

  v1::CheckResult Known(const ClientCall& call, const std::string& url, int status) const {
    const bool absent = IsAbsent(status);
    v1::CheckResult result = MakeResult(check_, absent ? v1::CHECK_STATUS_FAILED : v1::CHECK_STATUS_PASSED,
                                        fmt::format("{} {}: {} to another check, {}", call.method, url, status,
                                                    absent ? "the frontend calls it" : "the route exists"));
    result.set_expected("the route exists");
    result.set_observed(std::to_string(status));
    (*result.mutable_attributes())["status"] = std::to_string(status);
    return result;
  }

  v1::CheckResult Declared(const v1::Endpoint& endpoint, const std::string& url) const {
    HttpRequest request = Request(endpoint.method(), url);
    request.body = endpoint.body();
    if (!request.body.empty()) request.headers.emplace_back("Content-Type", "application/json");
    const auto response = Send(context_, request);
    if (!response.ok()) return UnansweredResult(check_, response.status());
    const std::vector<int> statuses(endpoint.status().begin(), endpoint.status().end());
    const bool served =
        StatusMatches(response->status, statuses) || (statuses.empty() && WantsCredentials(response->status));
    return Judged(request, *response, served ? v1::CHECK_STATUS_PASSED : v1::CHECK_STATUS_FAILED, "");
  }

  v1::CheckResult WebSocket(const std::string& url) const {
    WebSocketRequest request;
    request.url = url;
    if (!origin_.empty()) request.headers.emplace_back("Origin", origin_);
    request.timeout = Budget(context_).ForOne();
    const auto outcome = Converse(context_, request);
    if (!outcome.ok()) return UnansweredResult(check_, outcome.status());
    const bool served = outcome->accepted || WantsCredentials(outcome->status);
    v1::CheckResult result = MakeResult(check_, served ? v1::CHECK_STATUS_PASSED : v1::CHECK_STATUS_FAILED,
                                        fmt::format("WebSocket {}: upgrade answered with {}", url, outcome->status));
    result.set_expected("upgrade accepted");
    result.set_observed(std::to_string(outcome->status));
    (*result.mutable_attributes())["status"] = std::to_string(outcome->status);
    (*result.mutable_attributes())["websocket"] = "true";
    return result;
  }

  const v1::Check& check_;
  const v1::Service& service_;
  const std::string origin_;
  const CheckContext& context_;
};

// The same call from several places is one.
std::vector<ClientCall> Distinct(const std::vector<ClientCall>& calls) {
  std::vector<ClientCall> distinct;
  std::set<std::string> seen;
  for (const ClientCall& call : calls) {
    if (seen.insert(fmt::format("{} {} {}", call.method, call.websocket, call.path)).second) distinct.push_back(call);
  }
  return distinct;
}

std::string OriginOf(const v1::Client& client, const v1::SystemModel& system) {
  for (const v1::Origin& origin : system.origins()) {
    if (origin.name() == client.origin()) return origin.url();
  }
  return "";
}

std::vector<v1::CheckResult> Run(const v1::Check& check, const Json& with, CheckContext& context) {
  Parameters parameters(with);
  const std::string name = parameters.String("client");
  const auto client = std::find_if(context.system.clients().begin(), context.system.clients().end(),
                                   [&](const v1::Client& candidate) { return candidate.name() == name; });
  if (client == context.system.clients().end())
    return {ErrorResult(check, InvalidArgument("client '{}' is not in the system model", name))};
  v1::Check named = check;
  named.set_service(client->service());
  const auto service = ServiceOf(named, context.system);
  if (!service.ok()) return {ErrorResult(check, service.status())};
  if ((*service)->base_url().empty())
    return {ErrorResult(check, InvalidArgument("service {} has no base_url", client->service()))};
  const auto calls = ReadClientCalls(*client);
  if (!calls.ok()) return {ErrorResult(check, calls.status())};
  const std::vector<ClientCall> distinct = Distinct(calls->calls);
  if (distinct.empty())
    return {NothingToCheck(check,
                           fmt::format("no calls were found in the {} files of client {}", calls->files.size(), name))};
  const CallProbe probe(named, **service, OriginOf(*client, context.system), context);
  return RunPieces(named, context, distinct.size(), [&](size_t i) { return probe.Run(distinct[i]); });
}

absl::Status Validate(const Json& with) {
  Parameters parameters(with);
  parameters.String("client");
  return parameters.status();
}

}  // namespace

CheckKind ClientCallsCheck() { return {"client_calls", kDefaultWeight, {"!client"}, Run, Validate}; }

}  // namespace omnix
