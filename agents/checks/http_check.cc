// http: one request and what its answer must be.
//   method (GET), path (against the service's base_url) or url, headers {}, body (text or JSON), follow_redirects
//   (false); expected: status (number, class such as "2xx", or a list; default any below 400), json {JSON pointer:
//   value}, contains (text or list), max_ms.
// The step's `capture` takes values of a JSON answer for later steps; it is made only where everything else held.
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

constexpr uint32_t kDefaultWeight = 10;
constexpr double kMaxMilliseconds = 3.6e6;
constexpr size_t kMaxCaptureBytes = 16 << 10;

struct Expectation {
  HttpRequest request;
  std::string path;
  std::vector<int> statuses;
  std::map<std::string, Json> json;
  std::vector<std::string> contains;
  double max_ms = 0;
};

bool HasContentType(const HttpRequest& request) {
  for (const auto& [name, value] : request.headers) {
    if (std::equal(name.begin(), name.end(), std::begin("content-type"), std::end("content-type") - 1,
                   [](unsigned char a, char b) { return std::tolower(a) == b; })) {
      return true;
    }
  }
  return false;
}

void ReadBody(const Json& body, HttpRequest* request) {
  if (body.is_null()) return;
  request->body = body.is_string() ? body.get<std::string>() : DumpJson(body);
  const bool json = !body.is_string() || ParseJson(request->body).ok();
  if (json && !HasContentType(*request)) request->headers.emplace_back("Content-Type", "application/json");
}

absl::StatusOr<Expectation> Read(const Json& json) {
  Parameters with(json);
  Expectation expectation;
  expectation.request.method = with.String("method", "GET");
  expectation.request.url = with.String("url");
  expectation.request.follow_redirects = with.Bool("follow_redirects", false);
  expectation.path = with.String("path");
  if (with.Has("url") == with.Has("path"))
    with.Fail("either path (against the service's base_url) or url must be given");
  for (const auto& [name, value] : with.StringMap("headers")) expectation.request.headers.emplace_back(name, value);
  ReadBody(with.Value("body"), &expectation.request);
  expectation.statuses = with.Statuses("status");
  expectation.contains = with.Strings("contains");
  expectation.max_ms = with.Number("max_ms", 0, kMaxMilliseconds, 0);
  if (const Json& pointers = with.Value("json"); !pointers.is_null() && !pointers.is_object()) {
    with.Fail("json must be a mapping of JSON pointers to values");
  } else {
    for (const auto& [pointer, value] : pointers.items()) {
      if (!pointer.empty() && pointer.front() != '/')
        with.Fail(fmt::format("json: '{}' is no JSON pointer; it begins with '/'", pointer));
      expectation.json[pointer] = value;
    }
  }
  OMNIX_RETURN_IF_ERROR(with.status());
  return expectation;
}

// Null where there is nothing.
const Json* Find(const Json& document, const std::string& pointer) {
  try {
    const Json::json_pointer parsed(pointer);
    return document.contains(parsed) ? &document.at(parsed) : nullptr;
  } catch (const Json::exception&) {
    return nullptr;
  }
}

std::vector<std::string> BodyMistakes(const Expectation& expectation, const HttpResponse& response,
                                      const absl::StatusOr<Json>& body) {
  std::vector<std::string> mistakes;
  for (const std::string& text : expectation.contains) {
    if (response.body.find(text) == std::string::npos)
      mistakes.push_back(fmt::format("the body does not contain '{}'", text));
  }
  if (!expectation.json.empty() && !body.ok()) mistakes.push_back("the body is no JSON: " + Message(body.status()));
  if (!body.ok()) return mistakes;
  for (const auto& [pointer, expected] : expectation.json) {
    const Json* found = Find(*body, pointer);
    if (found == nullptr) {
      mistakes.push_back(fmt::format("nothing at {}, expected {}", pointer, DumpJson(expected)));
    } else if (*found != expected) {
      mistakes.push_back(fmt::format("{} is {}, expected {}", pointer, DumpJson(*found), DumpJson(expected)));
    }
  }
  return mistakes;
}

std::vector<std::string> Mistakes(const Expectation& expectation, const HttpResponse& response,
                                  const absl::StatusOr<Json>& body) {
  std::vector<std::string> mistakes;
  if (!StatusMatches(response.status, expectation.statuses)) {
    mistakes.push_back(fmt::format("{}, expected {}", response.status, StatusesText(expectation.statuses)));
  }
  const double milliseconds = absl::ToDoubleMilliseconds(response.duration);
  if (expectation.max_ms > 0 && milliseconds > expectation.max_ms) {
    mistakes.push_back(fmt::format("took {:.0f} ms, expected at most {:.0f} ms", milliseconds, expectation.max_ms));
  }
  for (std::string& mistake : BodyMistakes(expectation, response, body)) mistakes.push_back(std::move(mistake));
  return mistakes;
}

std::vector<std::string> Capture(const v1::Check& check, const absl::StatusOr<Json>& body, CheckContext& context) {
  std::vector<std::string> mistakes;
  for (const auto& [name, pointer] : check.capture()) {
    const Json* found = body.ok() ? Find(*body, pointer) : nullptr;
    std::string value = found == nullptr ? "" : found->is_string() ? found->get<std::string>() : DumpJson(*found);
    if (found == nullptr || value.size() > kMaxCaptureBytes) {
      context.variables.erase(name);
      mistakes.push_back(fmt::format("nothing to capture for {} at {} of the answer", name, pointer));
    } else {
      context.variables[name] = std::move(value);
    }
  }
  return mistakes;
}

std::vector<v1::CheckResult> Run(const v1::Check& check, const Json& with, CheckContext& context) {
  auto expectation = Read(with);
  if (!expectation.ok()) return {ErrorResult(check, expectation.status())};
  HttpRequest& request = expectation->request;
  if (request.url.empty()) {
    const auto service = ServiceOf(check, context.system);
    if (!service.ok()) return {ErrorResult(check, service.status())};
    if ((*service)->base_url().empty()) {
      return {ErrorResult(check, InvalidArgument("service {} has no base_url", check.service()))};
    }
    request.url = JoinUrl((*service)->base_url(), expectation->path);
  }
  request.timeout = Budget(context).Remaining();
  request.max_body_bytes = kMaxCheckBodyBytes;
  const auto response = Send(context, request);
  if (!response.ok()) {
    v1::CheckResult result = UnansweredResult(check, response.status());
    result.set_expected(StatusesText(expectation->statuses));
    (*result.mutable_attributes())["url"] = request.url;
    (*result.mutable_attributes())["method"] = request.method;
    return {result};
  }
  const auto body = ParseJson(response->body);
  std::vector<std::string> mistakes = Mistakes(*expectation, *response, body);
  if (mistakes.empty()) mistakes = Capture(check, body, context);
  std::string summary = fmt::format("{} {}: ", request.method, request.url);
  if (mistakes.empty()) summary += std::to_string(response->status);
  for (const std::string& mistake : mistakes) summary += (&mistake == &mistakes.front() ? "" : "; ") + mistake;
  v1::CheckResult result =
      MakeResult(check, mistakes.empty() ? v1::CHECK_STATUS_PASSED : v1::CHECK_STATUS_FAILED, summary);
  result.set_expected(StatusesText(expectation->statuses));
  result.set_observed(std::to_string(response->status));
  DescribeExchange(request, *response, &result);
  return {result};
}

absl::Status Validate(const Json& with) { return Read(with).status(); }

}  // namespace

CheckKind HttpCheck() {
  return {"http",
          kDefaultWeight,
          {"method", "path", "url", "headers", "body", "follow_redirects", "status", "json", "contains", "max_ms"},
          Run,
          Validate};
}

}  // namespace omnix
