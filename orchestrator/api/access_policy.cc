#include "orchestrator/api/access_policy.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/beast/core/detail/base64.hpp>
#include <cctype>

#include "common/file.h"
#include "common/hash.h"
#include "common/printable.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr unsigned kUnauthorized = 401;
constexpr unsigned kForbidden = 403;
constexpr unsigned kMisdirected = 421;
constexpr size_t kMaxTokenFileBytes = 4096;
constexpr std::string_view kOpenPath = "/healthz";

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

// "[::1]:80" -> "::1", "host:80" -> "host".
std::string HostName(std::string_view host) {
  if (host.starts_with('[')) return Lower(host.substr(1, host.find(']') - 1));
  return Lower(host.substr(0, host.find(':')));
}

// The value after "<scheme> ", whatever the scheme's case.
std::optional<std::string_view> Credentials(std::string_view authorization, std::string_view scheme) {
  if (authorization.size() <= scheme.size() || authorization[scheme.size()] != ' ') return std::nullopt;
  if (Lower(authorization.substr(0, scheme.size())) != scheme) return std::nullopt;
  return authorization.substr(scheme.size() + 1);
}

}  // namespace

bool IsLoopbackHost(std::string_view host) {
  if (host == "localhost") return true;
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(std::string(host), error);
  return !error && address.is_loopback();
}

absl::StatusOr<AccessPolicy> AccessPolicy::Create(const std::string& listen_host, std::vector<std::string> hosts,
                                                  const std::string& token_file) {
  AccessPolicy policy;
  policy.hosts_ = std::move(hosts);
  policy.hosts_.push_back(listen_host);
  std::ranges::transform(policy.hosts_, policy.hosts_.begin(), Lower);
  if (token_file.empty()) {
    if (IsLoopbackHost(listen_host)) return policy;
    return FailedPrecondition(
        "the HTTP API would listen on {}, which other machines reach, without authorization: set a bearer token file, "
        "or listen on 127.0.0.1",
        listen_host);
  }
  OMNIX_ASSIGN_OR_RETURN(std::string token, ReadFile(token_file, kMaxTokenFileBytes));
  const auto space = [](unsigned char c) { return std::isspace(c) != 0; };
  token.erase(std::find_if_not(token.rbegin(), token.rend(), space).base(), token.end());
  token.erase(token.begin(), std::find_if_not(token.begin(), token.end(), space));
  if (token.size() < kMinTokenBytes) {
    return FailedPrecondition("{}: the token has {} bytes, at least {} are needed (openssl rand -hex 32)", token_file,
                              token.size(), kMinTokenBytes);
  }
  policy.token_hash_ = Sha256(token);
  return policy;
}

bool AccessPolicy::HostAllowed(std::string_view host) const {
  const std::string name = HostName(host);
  return IsLoopbackHost(name) || std::ranges::find(hosts_, name) != hosts_.end();
}

bool AccessPolicy::TokenMatches(std::string_view authorization, std::string* user) const {
  std::string given;
  if (const auto bearer = Credentials(authorization, "bearer")) {
    given = *bearer;
  } else if (const auto basic = Credentials(authorization, "basic")) {
    namespace base64 = boost::beast::detail::base64;
    std::string decoded(base64::decoded_size(basic->size()), '\0');
    decoded.resize(base64::decode(decoded.data(), basic->data(), basic->size()).first);
    const size_t colon = decoded.find(':');
    if (colon == std::string::npos) return false;
    *user = PrintableLine(decoded.substr(0, colon));
    given = decoded.substr(colon + 1);
  }
  // Equal lengths whatever was given: the time tells nothing of the token.
  return CRYPTO_memcmp(Sha256(given).data(), token_hash_.data(), token_hash_.size()) == 0;
}

std::optional<ApiResponse> AccessPolicy::Refuse(const RequestHead& head, std::string* user) const {
  if (head.path == kOpenPath) return std::nullopt;
  if (!HostAllowed(head.host)) {
    return Problem(kMisdirected,
                   "the Host header names a host that this server does not answer for: use 127.0.0.1, or add the name "
                   "to its configured hosts");
  }
  if (!token_hash_.empty() && !TokenMatches(head.authorization, user)) {
    ApiResponse refusal = Problem(kUnauthorized,
                                  "this server wants \"Authorization: Bearer TOKEN\" with the token of its token file "
                                  "(or Basic with the token as password)");
    refusal.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"omnix\"");
    refusal.headers.emplace_back("WWW-Authenticate", "Basic realm=\"omnix\", charset=\"UTF-8\"");
    return refusal;
  }
  const bool changes = head.method != "GET" && head.method != "HEAD" && head.method != "OPTIONS";
  const bool own = head.origin == "http://" + head.host || head.origin == "https://" + head.host;
  if (changes && !head.origin.empty() && !own) {
    return Problem(kForbidden, "a page of another origin may not change anything here");
  }
  return std::nullopt;
}

}  // namespace omnix
