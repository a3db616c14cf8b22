// Which handler answers which method and path.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/api/http_message.h"

namespace omnix {

struct Route {
  std::string method;
  // "/v1/incidents/{id}/events": a part in braces takes any one segment.
  std::string pattern;
  ApiHandler handler;
  // A larger body is refused with 413. 0: the server's limit.
  size_t max_body_bytes = 0;
};

// Immutable and thread-safe.
class Router {
 public:
  explicit Router(std::vector<Route> routes) : routes_(std::move(routes)) {}

  struct Match {
    // Null where nothing matches: then `problem` says so (404 with the routes that begin alike, 405 with Allow).
    const Route* route = nullptr;
    std::map<std::string, std::string> parameters;
    std::map<std::string, std::string> query;
    ApiResponse problem;
  };

  // `target` is the request's target: path and query, percent-encoded. HEAD matches GET.
  Match Find(std::string_view method, std::string_view target) const;

 private:
  ApiResponse NotFoundProblem(std::string_view path) const;

  std::vector<Route> routes_;
};

// "%41b" -> "Ab". nullopt for a broken escape, bytes that are no UTF-8, or control characters.
std::optional<std::string> PercentDecode(std::string_view text, bool plus_is_space);

}  // namespace omnix
