#include "agents/checks/http_tools.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_join.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr size_t kMaxBodyExcerptBytes = 1000;
constexpr int kFirstErrorStatus = 400;
constexpr int kUnauthorized = 401;
constexpr int kForbidden = 403;
constexpr std::array kTellingHeaders = {"server",      "location", "content-type", "allow",     "www-authenticate",
                                        "retry-after", "via",      "vary",         "set-cookie"};
constexpr char kCorsPrefix[] = "access-control-";

bool IsTelling(const std::string& name) {
  return name.rfind(kCorsPrefix, 0) == 0 ||
         std::find(kTellingHeaders.begin(), kTellingHeaders.end(), name) != kTellingHeaders.end();
}

}  // namespace

std::string ResponseExcerpt(const HttpResponse& response) {
  std::string text = fmt::format("HTTP {}\n", response.status);
  for (const auto& [name, value] : response.headers) {
    if (IsTelling(name)) text += fmt::format("{}: {}\n", name, value);
  }
  if (!response.body.empty()) text += "\n" + response.body.substr(0, kMaxBodyExcerptBytes);
  return text;
}

void DescribeExchange(const HttpRequest& request, const HttpResponse& response, v1::CheckResult* result) {
  auto& attributes = *result->mutable_attributes();
  attributes["url"] = request.url;
  attributes["method"] = request.method;
  attributes["status"] = std::to_string(response.status);
  attributes["duration_ms"] = std::to_string(absl::ToInt64Milliseconds(response.duration));
  for (const char* name : {"location", "server"}) {
    if (const std::string value = response.Header(name); !value.empty()) attributes[name] = value;
  }
  result->set_excerpt(ResponseExcerpt(response));
}

std::string StatusesText(const std::vector<int>& statuses) {
  if (statuses.empty()) return "any status below 400";
  std::vector<std::string> ranges;
  for (size_t first = 0, i = 1; i <= statuses.size(); ++i) {
    if (i < statuses.size() && statuses[i] == statuses[i - 1] + 1) continue;
    ranges.push_back(i - first == 1 ? std::to_string(statuses[first])
                                    : fmt::format("{} to {}", statuses[first], statuses[i - 1]));
    first = i;
  }
  return absl::StrJoin(ranges, " or ");
}

bool StatusMatches(int status, const std::vector<int>& statuses) {
  if (statuses.empty()) return status < kFirstErrorStatus;
  return std::find(statuses.begin(), statuses.end(), status) != statuses.end();
}

bool WantsCredentials(int status) { return status == kUnauthorized || status == kForbidden; }

bool IsAbsent(int status) {
  constexpr int kGone = 410;
  constexpr int kFirstServerError = 500;
  return status == kStatusNotFound || status == kGone || status >= kFirstServerError;
}

bool IsSafeMethod(const std::string& method) { return method == "GET" || method == "HEAD" || method == "OPTIONS"; }

}  // namespace omnix
