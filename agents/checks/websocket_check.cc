// websocket: the upgrade is accepted, and the connection works.
//   path (against the service's base_url) or url, headers {}, origin (name or URL), send (text), expect (text that a
//   message must contain), hold (duration: it stays open so long, and answers a ping).
#include "agents/checks/budget.h"
#include "agents/checks/check.h"
#include "agents/checks/http_broker.h"
#include "agents/checks/parameters.h"
#include "agents/checks/result.h"
#include "agents/checks/url.h"
#include "agents/checks/websocket_client.h"
#include "common/status.h"
#include "common/time.h"

namespace omnix {
namespace {

constexpr uint32_t kDefaultWeight = 10;

struct Options {
  WebSocketRequest request;
  std::string path;
  std::string origin;
};

absl::StatusOr<Options> Read(const Json& json) {
  Parameters with(json);
  Options options;
  options.path = with.String("path");
  options.request.url = with.String("url");
  if (with.Has("url") == with.Has("path"))
    with.Fail("either path (against the service's base_url) or url must be given");
  for (const auto& [name, value] : with.StringMap("headers")) options.request.headers.emplace_back(name, value);
  options.origin = with.String("origin");
  options.request.send = with.String("send");
  options.request.expect = with.String("expect");
  options.request.hold = with.Duration("hold", absl::ZeroDuration());
  OMNIX_RETURN_IF_ERROR(with.status());
  return options;
}

std::string OriginUrl(const std::string& wanted, const v1::SystemModel& system) {
  for (const v1::Origin& origin : system.origins()) {
    if (origin.name() == wanted) return origin.url();
  }
  return wanted;
}

v1::CheckResult Judge(const v1::Check& check, const WebSocketRequest& request, const WebSocketOutcome& outcome) {
  const bool passed = outcome.accepted && outcome.mistake.empty();
  std::string observed = fmt::format("upgrade answered with {}", outcome.status);
  if (outcome.accepted) observed = fmt::format("open for {}", omnix::FormatDuration(outcome.held));
  if (!outcome.mistake.empty()) observed += ", then: " + outcome.mistake;
  v1::CheckResult result = MakeResult(check, passed ? v1::CHECK_STATUS_PASSED : v1::CHECK_STATUS_FAILED,
                                      fmt::format("WebSocket {}: {}", request.url, observed));
  result.set_expected(request.hold > absl::ZeroDuration()
                          ? fmt::format("upgrade accepted, open for {}", omnix::FormatDuration(request.hold))
                          : "upgrade accepted");
  result.set_observed(observed);
  result.set_excerpt(outcome.last_message);
  auto& attributes = *result.mutable_attributes();
  attributes["url"] = request.url;
  attributes["method"] = "GET";
  attributes["status"] = std::to_string(outcome.status);
  attributes["websocket"] = "true";
  return result;
}

std::vector<v1::CheckResult> Run(const v1::Check& check, const Json& with, CheckContext& context) {
  auto options = Read(with);
  if (!options.ok()) return {ErrorResult(check, options.status())};
  WebSocketRequest& request = options->request;
  if (request.url.empty()) {
    const auto service = ServiceOf(check, context.system);
    if (!service.ok()) return {ErrorResult(check, service.status())};
    if ((*service)->base_url().empty())
      return {ErrorResult(check, InvalidArgument("service {} has no base_url", check.service()))};
    request.url = JoinUrl((*service)->base_url(), options->path);
  }
  if (!options->origin.empty()) request.headers.emplace_back("Origin", OriginUrl(options->origin, context.system));
  // What is to be held open has its time on top of what one check may take.
  request.timeout = Budget(context).Remaining() + request.hold;
  const auto outcome = Converse(context, request);
  if (!outcome.ok()) {
    v1::CheckResult result = UnansweredResult(check, outcome.status());
    (*result.mutable_attributes())["url"] = request.url;
    return {result};
  }
  return {Judge(check, request, *outcome)};
}

absl::Status Validate(const Json& with) { return Read(with).status(); }

}  // namespace

CheckKind WebSocketCheck() {
  return {"websocket", kDefaultWeight, {"path", "url", "headers", "origin", "send", "expect", "hold"}, Run, Validate};
}

}  // namespace omnix
