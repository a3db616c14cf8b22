#include "agents/checks/url.h"

#include <curl/curl.h>

#include <charconv>
#include <memory>

#include "common/status.h"

namespace omnix {
namespace {

constexpr int kMaxPort = 65535;

struct UrlDelete {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

std::string Part(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK || text == nullptr) return "";
  std::string copy = text;
  curl_free(text);
  return copy;
}

std::string WithoutBrackets(const std::string& host) {
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  return bracketed ? host.substr(1, host.size() - 2) : host;
}

bool IsPort(const std::string& text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port > 0 && port <= kMaxPort;
}

}  // namespace

absl::StatusOr<Url> ParseUrl(const std::string& text) {
  const std::unique_ptr<CURLU, UrlDelete> handle(curl_url());
  const CURLUcode code = curl_url_set(handle.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME);
  if (code != CURLUE_OK) {
    return InvalidArgument("bad URL ({}); a URL looks like http://host:port/path", curl_url_strerror(code));
  }
  Url url;
  url.scheme = Part(handle.get(), CURLUPART_SCHEME);
  url.host = WithoutBrackets(Part(handle.get(), CURLUPART_HOST));
  url.port = Part(handle.get(), CURLUPART_PORT);
  if (url.port.empty() && (url.scheme == "http" || url.scheme == "ws")) url.port = "80";
  if (url.port.empty() && (url.scheme == "https" || url.scheme == "wss")) url.port = "443";
  url.target = Part(handle.get(), CURLUPART_PATH);
  if (const std::string query = Part(handle.get(), CURLUPART_QUERY); !query.empty()) url.target += "?" + query;
  return url;
}

absl::StatusOr<HostPort> ParseHostPort(const std::string& text) {
  const size_t colon = text.rfind(':');
  HostPort address;
  if (colon != std::string::npos) {
    address = {WithoutBrackets(text.substr(0, colon)), text.substr(colon + 1)};
    if (address.host.empty()) address.host = "*";
  }
  const bool ambiguous = colon != std::string::npos && text.front() != '[' && text.find(':') != colon;
  if (colon == std::string::npos || ambiguous || !IsPort(address.port)) {
    return InvalidArgument("'{}' is no address; it looks like host:port, or [IPv6]:port", text);
  }
  return address;
}

HostPort ConnectableAddress(const HostPort& address) {
  if (address.host == "*" || address.host == "0.0.0.0") return {"127.0.0.1", address.port};
  if (address.host == "::") return {"::1", address.port};
  return address;
}

std::string JoinUrl(const std::string& base, const std::string& path) {
  std::string url = base;
  while (!url.empty() && url.back() == '/') url.pop_back();
  return path.empty() || path.front() == '/' ? url + path : url + "/" + path;
}

}  // namespace omnix
