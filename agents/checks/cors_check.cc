// cors: from each origin, what a browser would do: the preflight, then the request itself; and a foreign origin that
// must not be allowed.
//   path (default: the service's first endpoint that is read with GET, else "/"), method (GET), origins (names or URLs;
//   default: all of the system model), headers (that the frontend adds; default none), allow_credentials (false),
//   preflight (true), allow_any_origin (false; true: "*" is only a warning).
#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "agents/checks/budget.h"
#include "agents/checks/check.h"
#include "agents/checks/http_broker.h"
#include "agents/checks/http_tools.h"
#include "agents/checks/parameters.h"
#include "agents/checks/result.h"
#include "agents/checks/url.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr uint32_t kDefaultWeight = 5;
constexpr char kForeignOrigin[] = "https://omnix-foreign-origin.invalid";
constexpr char kAny[] = "*";
constexpr int kFirstOkStatus = 200;
constexpr int kLastOkStatus = 299;

struct Options {
  std::string path;
  std::string method;
  std::vector<std::string> origins;
  std::vector<std::string> headers;
  bool allow_credentials = false;
  bool preflight = true;
  bool allow_any_origin = false;
};

struct Caller {
  std::string name;
  std::string origin;
};

absl::StatusOr<Options> Read(const Json& json) {
  Parameters with(json);
  Options options;
  options.path = with.String("path");
  options.method = with.String("method", "GET");
  options.origins = with.Strings("origins");
  options.headers = with.Strings("headers");
  options.allow_credentials = with.Bool("allow_credentials", false);
  options.preflight = with.Bool("preflight", true);
  options.allow_any_origin = with.Bool("allow_any_origin", false);
  OMNIX_RETURN_IF_ERROR(with.status());
  return options;
}

// Browsers send origins without a trailing slash.
std::string AsOrigin(std::string url) {
  while (!url.empty() && url.back() == '/') url.pop_back();
  return url;
}

std::vector<Caller> Callers(const Options& options, const v1::SystemModel& system) {
  std::vector<Caller> callers;
  if (options.origins.empty()) {
    for (const v1::Origin& origin : system.origins()) callers.push_back({origin.name(), AsOrigin(origin.url())});
  }
  for (const std::string& wanted : options.origins) {
    const auto known = std::find_if(system.origins().begin(), system.origins().end(),
                                    [&](const v1::Origin& origin) { return origin.name() == wanted; });
    callers.push_back({wanted, AsOrigin(known == system.origins().end() ? wanted : known->url())});
  }
  return callers;
}

std::string DefaultPath(const v1::Service& service) {
  for (const v1::Endpoint& endpoint : service.endpoints()) {
    const bool read = endpoint.method().empty() || endpoint.method() == "GET";
    if (read && !endpoint.websocket() && endpoint.path().find_first_of("{:") == std::string::npos)
      return endpoint.path();
  }
  return "/";
}

bool ListHolds(const std::string& list, const std::string& item) {
  for (const auto part : absl::StrSplit(list, ',')) {
    const std::string name(absl::StripAsciiWhitespace(part));
    if (name == kAny || absl::AsciiStrToLower(name) == absl::AsciiStrToLower(item)) return true;
  }
  return false;
}

bool IsSimpleMethod(const std::string& method) { return method == "GET" || method == "HEAD" || method == "POST"; }

// Empty: a browser of this origin may read the answer.
std::string OriginMistake(const HttpResponse& response, const std::string& origin, bool credentials) {
  const std::string allowed = response.Header("access-control-allow-origin");
  const auto count = std::count_if(response.headers.begin(), response.headers.end(),
                                   [](const auto& header) { return header.first == "access-control-allow-origin"; });
  if (allowed.empty()) return "no Access-Control-Allow-Origin";
  if (count > 1) return fmt::format("{} Access-Control-Allow-Origin headers; browsers accept exactly one", count);
  if (allowed == kAny && credentials) return "Access-Control-Allow-Origin is *, which browsers refuse with credentials";
  if (allowed != origin && allowed != kAny) return fmt::format("Access-Control-Allow-Origin is {}", allowed);
  if (credentials && response.Header("access-control-allow-credentials") != "true")
    return "no Access-Control-Allow-Credentials: true";
  return "";
}

std::string PreflightMistake(const HttpResponse& response, const Options& options, const std::string& origin) {
  if (std::string mistake = OriginMistake(response, origin, options.allow_credentials); !mistake.empty())
    return mistake;
  if (response.status < kFirstOkStatus || response.status > kLastOkStatus) {
    return fmt::format("status {}; browsers want 200 to 299", response.status);
  }
  if (!IsSimpleMethod(options.method) && !ListHolds(response.Header("access-control-allow-methods"), options.method)) {
    return fmt::format("Access-Control-Allow-Methods does not hold {}", options.method);
  }
  for (const std::string& header : options.headers) {
    if (!ListHolds(response.Header("access-control-allow-headers"), header)) {
      return fmt::format("Access-Control-Allow-Headers does not hold {}", header);
    }
  }
  return "";
}

HttpRequest Preflight(const std::string& url, const Options& options, const std::string& origin) {
  HttpRequest request;
  request.method = "OPTIONS";
  request.url = url;
  request.headers = {{"Origin", origin}, {"Access-Control-Request-Method", options.method}};
  if (!options.headers.empty())
    request.headers.emplace_back("Access-Control-Request-Headers", absl::StrJoin(options.headers, ","));
  return request;
}

HttpRequest Actual(const std::string& url, const Options& options, const std::string& origin) {
  HttpRequest request;
  request.method = options.method;
  request.url = url;
  request.headers = {{"Origin", origin}};
  return request;
}

class OriginCheck {
 public:
  OriginCheck(const v1::Check& check, const Options& options, std::string url, const CheckContext& context)
      : check_(check), options_(options), url_(std::move(url)), context_(context) {}

  v1::CheckResult Run(const Caller& caller, bool foreign, bool actual) const {
    const Budget budget(context_);
    std::vector<HttpRequest> requests;
    if (options_.preflight) requests.push_back(Preflight(url_, options_, caller.origin));
    // A request that could change something is not made: its preflight has to do.
    if (IsSafeMethod(options_.method) && (actual || !options_.preflight))
      requests.push_back(Actual(url_, options_, caller.origin));
    std::vector<std::string> mistakes;
    std::string excerpt;
    bool any = false;
    bool allowed = false;
    v1::CheckResult result = MakeResult(check_, v1::CHECK_STATUS_PASSED, "");
    for (HttpRequest& request : requests) {
      request.timeout = budget.ForOne();
      request.max_body_bytes = kMaxCheckBodyBytes;
      const auto response = Send(context_, request);
      if (!response.ok()) return Named(UnansweredResult(check_, response.status()), caller);
      const bool preflight = request.method == "OPTIONS" && options_.preflight && &request == &requests.front();
      const std::string what = preflight ? "preflight" : request.method;
      const std::string origin_mistake =
          OriginMistake(*response, caller.origin, foreign ? false : options_.allow_credentials);
      const std::string mistake =
          preflight && !foreign ? PreflightMistake(*response, options_, caller.origin) : origin_mistake;
      if (!mistake.empty()) mistakes.push_back(what + ": " + mistake);
      const std::string allow = response->Header("access-control-allow-origin");
      allowed = allowed || allow == caller.origin;
      any = any || allow == kAny;
      Record(what, *response, &result);
      excerpt += what + " from " + caller.origin + "\n" + ResponseExcerpt(*response) + "\n";
    }
    result.set_excerpt(excerpt);
    if (foreign) {
      JudgeForeign(allowed, any, &result);
    } else {
      Judge(caller, mistakes, &result);
    }
    return Named(std::move(result), caller);
  }

 private:
  void Record(const std::string& what, const HttpResponse& response, v1::CheckResult* result) const {
    auto& attributes = *result->mutable_attributes();
    const std::string key = what == "preflight" ? "preflight_" : "";
    attributes[key + "status"] = std::to_string(response.status);
    attributes[key + "allow_origin"] = response.Header("access-control-allow-origin");
  }

  void Judge(const Caller& caller, const std::vector<std::string>& mistakes, v1::CheckResult* result) const {
    result->set_expected(fmt::format("{} is allowed to {} {}", caller.origin, options_.method, url_));
    result->set_observed(mistakes.empty() ? "allowed" : absl::StrJoin(mistakes, "; "));
    if (!mistakes.empty()) result->set_status(v1::CHECK_STATUS_FAILED);
    result->set_summary(fmt::format("{} {} from {} ({}): {}", options_.method, url_, caller.origin, caller.name,
                                    mistakes.empty() ? "allowed" : absl::StrJoin(mistakes, "; ")));
  }

  void JudgeForeign(bool allowed, bool any, v1::CheckResult* result) const {
    result->set_expected("a foreign origin is not allowed");
    const std::string observed = allowed ? "allowed: the answer names whatever origin asks"
                                 : any   ? "allowed: Access-Control-Allow-Origin is *"
                                         : "not allowed";
    result->set_observed(observed);
    result->set_summary(fmt::format("{} {} from a foreign origin: {}", options_.method, url_, observed));
    if (allowed || (any && !options_.allow_any_origin)) {
      result->set_status(v1::CHECK_STATUS_FAILED);
    } else if (any) {
      result->set_status(v1::CHECK_STATUS_WARNING);
    }
  }

  v1::CheckResult Named(v1::CheckResult result, const Caller& caller) const {
    result.set_name(check_.name() + ": " + caller.name);
    auto& attributes = *result.mutable_attributes();
    attributes["url"] = url_;
    attributes["method"] = options_.method;
    attributes["origin"] = caller.origin;
    attributes["origin_name"] = caller.name;
    return result;
  }

  const v1::Check& check_;
  const Options& options_;
  const std::string url_;
  const CheckContext& context_;
};

std::vector<v1::CheckResult> Run(const v1::Check& check, const Json& with, CheckContext& context) {
  const auto options = Read(with);
  if (!options.ok()) return {ErrorResult(check, options.status())};
  const auto service = ServiceOf(check, context.system);
  if (!service.ok()) return {ErrorResult(check, service.status())};
  if ((*service)->base_url().empty())
    return {ErrorResult(check, InvalidArgument("service {} has no base_url", check.service()))};
  const std::vector<Caller> callers = Callers(*options, context.system);
  if (callers.empty()) return {NothingToCheck(check, "the system model has no origins, and none are given")};
  const std::string url =
      JoinUrl((*service)->base_url(), options->path.empty() ? DefaultPath(**service) : options->path);
  const OriginCheck origin_check(check, *options, url, context);
  const Caller foreign{"foreign origin", kForeignOrigin};
  // That strangers are refused is worth asking of a system that is tested, not of one that fails: requests are few
  // then.
  const size_t strangers = context.http == nullptr ? 1 : 0;
  return RunPieces(check, context, callers.size() + strangers, [&](size_t i) {
    // The request itself then from the first and the last origin: the others' preflights have to do.
    const bool actual = context.http == nullptr || i == 0 || i + 1 == callers.size();
    return i < callers.size() ? origin_check.Run(callers[i], /*foreign=*/false, actual)
                              : origin_check.Run(foreign, /*foreign=*/true, actual);
  });
}

absl::Status Validate(const Json& with) { return Read(with).status(); }

}  // namespace

CheckKind CorsCheck() {
  return {"cors",
          kDefaultWeight,
          {"path", "method", "origins", "headers", "allow_credentials", "preflight", "allow_any_origin"},
          Run,
          Validate};
}

}  // namespace omnix
