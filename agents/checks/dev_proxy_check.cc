// dev_proxy: what the development server forwards must be what production serves: each call of the frontend, forwarded
// as the proxy's configuration says, is requested from the client's service. One result for each call.
//   client (name in the system model).
//
// A call fails where the production service does not know the path that the proxy makes of it, or where the proxy does
// not forward it at all while it forwards others.
#include <algorithm>

#include "agents/checks/budget.h"
#include "agents/checks/check.h"
#include "agents/checks/http_broker.h"
#include "agents/checks/http_tools.h"
#include "agents/checks/parameters.h"
#include "agents/checks/result.h"
#include "agents/checks/url.h"
#include "agents/checks/websocket_client.h"
#include "agents/sources/client_source.h"
#include "agents/sources/dev_proxy.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr uint32_t kDefaultWeight = 5;
constexpr int kFirstServerError = 500;

class ForwardProbe {
 public:
  ForwardProbe(const v1::Check& check, const v1::Service& service, const DevProxy& proxy, const CheckContext& context)
      : check_(check), service_(service), proxy_(proxy), context_(context) {}

  v1::CheckResult Run(const ClientCall& call) const {
    const DevForward forward = proxy_.Forward(call.path);
    v1::CheckResult result = Judge(call, forward);
    result.set_name(fmt::format("{}: {} {}", check_.name(), call.method, call.path));
    result.set_expected("the development proxy forwards the call to a path that production serves");
    auto& attributes = *result.mutable_attributes();
    attributes["path"] = call.path;
    attributes["method"] = call.method;
    attributes["proxied"] = forward.proxied ? "true" : "false";
    attributes["forwarded_path"] = forward.path;
    if (forward.proxied && forward.entry < proxy_.entries.size()) {
      const v1::Location& place = proxy_.entries[forward.entry].key.location;
      attributes["file"] = place.file();
      attributes["line"] = std::to_string(place.line());
    }
    return result;
  }

 private:
  v1::CheckResult Judge(const ClientCall& call, const DevForward& forward) const {
    if (!forward.proxied) {
      v1::CheckResult result =
          MakeResult(check_, v1::CHECK_STATUS_FAILED,
                     fmt::format("{} {}: the development proxy does not forward it", call.method, call.path));
      result.set_observed("not forwarded");
      return result;
    }
    if (!forward.certain) {
      return NothingToCheck(
          check_, fmt::format("what the proxy makes of {} is computed by code that was not understood", call.path));
    }
    const std::string url = JoinUrl(service_.base_url(), forward.path);
    const auto status = StatusOf(call, url);
    if (!status.ok()) return UnansweredResult(check_, status.status());
    if (*status >= kFirstServerError) {
      return NothingToCheck(check_, fmt::format("{} is forwarded as {}; production fails with {}, which tells nothing",
                                                call.path, forward.path, *status));
    }
    const bool made_up = call.has_template && *status == kStatusNotFound && ParentIsServed(url);
    const bool served = !IsAbsent(*status) || made_up;
    v1::CheckResult result =
        MakeResult(check_, served ? v1::CHECK_STATUS_PASSED : v1::CHECK_STATUS_FAILED,
                   fmt::format("{} is forwarded as {}; production answers {}", call.path, forward.path, *status));
    result.set_observed(fmt::format("{}: {}", forward.path, *status));
    (*result.mutable_attributes())["url"] = url;
    (*result.mutable_attributes())["status"] = std::to_string(*status);
    return result;
  }

  absl::StatusOr<int> StatusOf(const ClientCall& call, const std::string& url) const {
    if (call.websocket) {
      WebSocketRequest request;
      request.url = url;
      request.timeout = Budget(context_).ForOne();
      OMNIX_ASSIGN_OR_RETURN(const WebSocketOutcome outcome, Converse(context_, request));
      return outcome.status;
    }
    if (const int known = KnownStatus(context_, {call.method, "HEAD", "GET"}, url); known != 0 && !IsAbsent(known))
      return known;
    return Get(url);
  }

  absl::StatusOr<int> Get(const std::string& url) const {
    HttpRequest request;
    request.url = url;
    request.timeout = Budget(context_).ForOne();
    request.max_body_bytes = kMaxCheckBodyBytes;
    OMNIX_ASSIGN_OR_RETURN(const HttpResponse response, Send(context_, request));
    return response.status;
  }

  bool ParentIsServed(const std::string& url) const {
    const std::string parent = url.substr(0, url.rfind('/'));
    if (parent.size() <= JoinUrl(service_.base_url(), "").size()) return false;
    const auto status = Get(parent);
    return status.ok() && !IsAbsent(*status);
  }

  const v1::Check& check_;
  const v1::Service& service_;
  const DevProxy& proxy_;
  const CheckContext& context_;
};

std::vector<v1::CheckResult> Run(const v1::Check& check, const Json& with, CheckContext& context) {
  Parameters parameters(with);
  const std::string name = parameters.String("client");
  const auto& clients = context.system.clients();
  const auto client = std::find_if(clients.begin(), clients.end(),
                                   [&](const v1::Client& candidate) { return candidate.name() == name; });
  if (client == clients.end())
    return {ErrorResult(check, InvalidArgument("client '{}' is not in the system model", name))};
  if (client->dev_proxy_files().empty())
    return {NothingToCheck(check, fmt::format("client {} has no dev_proxy_files", name))};
  v1::Check named = check;
  named.set_service(client->service());
  const auto service = ServiceOf(named, context.system);
  if (!service.ok()) return {ErrorResult(check, service.status())};
  const auto proxy = ReadDevProxy({client->dev_proxy_files().begin(), client->dev_proxy_files().end()});
  if (absl::IsFailedPrecondition(proxy.status())) return {NothingToCheck(check, Message(proxy.status()))};
  if (!proxy.ok()) return {ErrorResult(check, proxy.status())};
  auto calls = ReadDevelopmentCalls(*client);
  if (!calls.ok()) return {ErrorResult(check, calls.status())};
  std::erase_if(calls->calls, [](const ClientCall& call) { return call.absolute; });
  if (calls->calls.empty())
    return {NothingToCheck(check, fmt::format("no calls were found in the files of client {}", name))};
  const ForwardProbe probe(named, **service, *proxy, context);
  return RunPieces(named, context, calls->calls.size(), [&](size_t i) { return probe.Run(calls->calls[i]); });
}

absl::Status Validate(const Json& with) {
  Parameters parameters(with);
  parameters.String("client");
  return parameters.status();
}

}  // namespace

CheckKind DevProxyCheck() { return {"dev_proxy", kDefaultWeight, {"!client"}, Run, Validate}; }

}  // namespace omnix
