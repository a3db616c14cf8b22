#include "orchestrator/api/http_message.h"

#include <boost/beast/http/status.hpp>

#include "common/json.h"
#include "common/status.h"
#include "orchestrator/api/status_codes.h"

namespace omnix {
namespace {

constexpr unsigned kServiceUnavailable = 503;
constexpr const char* kRetryAfterSeconds = "5";

}  // namespace

ApiResponse Problem(unsigned status, const std::string& detail) {
  const auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
  ApiResponse response;
  response.status = status;
  response.content_type = "application/problem+json";
  response.body =
      DumpJson({{"type", "about:blank"}, {"title", std::string(reason)}, {"status", status}, {"detail", detail}});
  if (status == kServiceUnavailable) response.headers.emplace_back("Retry-After", kRetryAfterSeconds);
  return response;
}

ApiResponse Problem(const absl::Status& status) { return Problem(ToHttpStatus(status.code()), Message(status)); }

}  // namespace omnix
