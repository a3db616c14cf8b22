// What the checks that speak HTTP have in common.
#pragma once

#include <omnix/v1/check.pb.h>

#include <string>
#include <vector>

#include "common/http_client.h"

namespace omnix {

// Bytes of a body that a check reads at most.
inline constexpr size_t kMaxCheckBodyBytes = 1 << 20;

// Status line, the headers that tell something, and the first bytes of the body.
std::string ResponseExcerpt(const HttpResponse& response);

// "status", "url", "method" and "duration_ms", and "location" and "server" where the answer has them.
// Of a result: the answer is the page that a gateway gives for every path that it does not know.
inline constexpr char kFallbackAttribute[] = "fallback";

void DescribeExchange(const HttpRequest& request, const HttpResponse& response, v1::CheckResult* result);

// "200" or "200, 201"; for none given: "any below 400".
std::string StatusesText(const std::vector<int>& statuses);

// True where the status is one of those, or, where none is given, below 400.
bool StatusMatches(int status, const std::vector<int>& statuses);

// 401 and 403: the route is there, and wants credentials.
bool WantsCredentials(int status);

// 404, 410 or a server's error: nothing of the service's own answers there.
inline constexpr int kStatusNotFound = 404;
bool IsAbsent(int status);

// Whether the service serves this method without being asked to by a check's owner: reading changes nothing.
bool IsSafeMethod(const std::string& method);

}  // namespace omnix
