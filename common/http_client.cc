#include "common/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <system_error>

#include "common/status.h"
#include "common/time.h"

namespace omnix {
namespace {

constexpr size_t kMaxHeadBytes = 256 << 10;
constexpr size_t kMaxUrlBytes = 16 << 10;
constexpr size_t kMaxMethodBytes = 32;
constexpr long kMaxRedirects = 5;
constexpr absl::Duration kMinTimeout = absl::Milliseconds(1);
constexpr absl::Duration kMaxTimeout = absl::Hours(1);

struct EasyDelete {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using Easy = std::unique_ptr<CURL, EasyDelete>;

struct UrlDelete {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

class HeaderList {
 public:
  HeaderList() = default;
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  ~HeaderList() { curl_slist_free_all(list_); }
  void Add(const std::string& line) {
    if (curl_slist* longer = curl_slist_append(list_, line.c_str())) list_ = longer;
  }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

// What the callbacks fill in.
struct Transfer {
  HttpResponse response;
  size_t max_body_bytes = 0;
  size_t head_bytes = 0;
  bool head_too_large = false;
  // The body was cut on purpose: the transfer's error is none.
  bool cut = false;
};

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::string Trim(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

size_t OnHeader(char* data, size_t size, size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::string line(data, size * count);
  transfer.head_bytes += line.size();
  if (transfer.head_bytes > kMaxHeadBytes) {
    transfer.head_too_large = true;
    return 0;
  }
  if (line.rfind("HTTP/", 0) == 0) {
    // The head of another answer: after a 100 Continue or a redirect.
    transfer.response.headers.clear();
    transfer.response.body.clear();
    return line.size();
  }
  if (const size_t colon = line.find(':'); colon != std::string::npos && colon > 0) {
    transfer.response.headers.emplace_back(Lower(line.substr(0, colon)), Trim(line.substr(colon + 1)));
    return line.size();
  }
  // End of the head. A stream of events has no end to wait for.
  if (transfer.response.Header("content-type").rfind("text/event-stream", 0) == 0) {
    transfer.response.truncated = transfer.cut = true;
    return 0;
  }
  return line.size();
}

size_t OnBody(char* data, size_t size, size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const size_t bytes = size * count;
  const size_t room = transfer.max_body_bytes - std::min(transfer.response.body.size(), transfer.max_body_bytes);
  transfer.response.body.append(data, std::min(bytes, room));
  if (bytes <= room) return bytes;
  transfer.response.truncated = transfer.cut = true;
  return 0;
}

// Called at least once a second.
int OnProgress(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(stop)->load() ? 1 : 0;
}

void InitCurlOnce() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

bool IsToken(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) || (c != '\0' && std::strchr("!#$%&'*+-.^_`|~", c) != nullptr);
  });
}

std::string UrlPart(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK || text == nullptr) return "";
  std::string copy = text;
  curl_free(text);
  return copy;
}

// The URL as errors name it: scheme, host, port and path; no user, password or query, which may hold secrets.
absl::StatusOr<std::string> CheckedUrlName(const std::string& text) {
  if (text.empty()) return InvalidArgument("no URL is given");
  if (text.size() > kMaxUrlBytes) return InvalidArgument("the URL is longer than {} bytes", kMaxUrlBytes);
  if (text.find('\0') != std::string::npos) return InvalidArgument("the URL holds a NUL byte");
  const std::unique_ptr<CURLU, UrlDelete> url(curl_url());
  if (url == nullptr) return ResourceExhausted("no memory for a URL");
  const CURLUcode code = curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME);
  if (code != CURLUE_OK) {
    return InvalidArgument("bad URL ({}); a URL looks like http://host:port/path", curl_url_strerror(code));
  }
  const std::string scheme = UrlPart(url.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") {
    return InvalidArgument("the URL's scheme is '{}'; only http and https are supported", scheme);
  }
  return fmt::format("{}://{}:{}{}", scheme, UrlPart(url.get(), CURLUPART_HOST),
                     UrlPart(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT), UrlPart(url.get(), CURLUPART_PATH));
}

absl::Status AddHeaders(const HttpRequest& request, HeaderList* list) {
  bool content_type = false;
  for (const auto& [name, value] : request.headers) {
    if (!IsToken(name)) return InvalidArgument("a header's name is empty or holds characters that no header may have");
    if (value.find_first_of(std::string("\r\n\0", 3)) != std::string::npos) {
      return InvalidArgument("the value of header {} holds a line break or NUL", name);
    }
    content_type = content_type || Lower(name) == "content-type";
    // libcurl's own spelling of "present, without a value".
    list->Add(Trim(value).empty() ? name + ";" : name + ": " + value);
  }
  // Neither curl's guess of a form, nor its wait for 100 Continue.
  if (!content_type) list->Add("Content-Type:");
  list->Add("Expect:");
  return absl::OkStatus();
}

void SetMethod(CURL* easy, const HttpRequest& request) {
  const bool carries_body =
      !request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (request.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    return;
  }
  if (carries_body) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
  }
  if (request.method != "GET" || carries_body) curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

void SetOptions(CURL* easy, const HttpRequest& request, const HeaderList& headers, Transfer* transfer) {
  const absl::Duration timeout = std::clamp(request.timeout, kMinTimeout, kMaxTimeout);
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(absl::ToInt64Milliseconds(timeout)));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(absl::ToInt64Milliseconds(std::min(timeout, request.connect_timeout))));
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, request.follow_redirects ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_MAXREDIRS, kMaxRedirects);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "omnix");
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, request.verify_tls ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, request.verify_tls ? 2L : 0L);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
  if (request.stop != nullptr) {
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, OnProgress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, const_cast<std::atomic<bool>*>(request.stop));
  }
  SetMethod(easy, request);
}

// How far a transfer came before its time was up.
const char* Stage(CURL* easy, const Transfer& transfer) {
  curl_off_t named = 0;
  curl_off_t sent = 0;
  curl_easy_getinfo(easy, CURLINFO_NAMELOOKUP_TIME_T, &named);
  curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &sent);
  if (transfer.head_bytes > 0) return "while receiving the answer";
  if (sent > 0) return "waiting for an answer";
  if (named > 0) return "connecting (or in the TLS handshake)";
  return "looking up the name";
}

// What the request was given for as far as it came.
absl::Duration TimeFor(const HttpRequest& request, CURL* easy) {
  curl_off_t sent = 0;
  curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &sent);
  return sent > 0 ? request.timeout : std::min(request.timeout, request.connect_timeout);
}

absl::Status ConnectError(CURL* easy, const std::string& name, const std::string& detail) {
  long os_error = 0;
  curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_error);
  if (os_error == ECONNREFUSED) return Unavailable("{}: connection refused (nothing listens there)", name);
  if (os_error != 0) {
    return Unavailable("{}: no connection: {}", name, std::generic_category().message(static_cast<int>(os_error)));
  }
  return Unavailable("{}: no connection: {}", name, detail);
}

absl::Status TransferError(CURLcode code, CURL* easy, const Transfer& transfer, const HttpRequest& request,
                           const std::string& name, const char* buffer) {
  const std::string detail = buffer[0] != '\0' ? buffer : curl_easy_strerror(code);
  if (transfer.head_too_large) return Unavailable("{}: the answer's head exceeds {} bytes", name, kMaxHeadBytes);
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return DeadlineExceeded("{}: no complete answer within {}; the time was up {}", name,
                              omnix::FormatDuration(TimeFor(request, easy)), Stage(easy, transfer));
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return InvalidArgument("{}: bad URL: {}", name, detail);
    case CURLE_COULDNT_RESOLVE_HOST:
      return Unavailable("{}: name not found: {}", name, detail);
    case CURLE_COULDNT_CONNECT:
      return ConnectError(easy, name, detail);
    case CURLE_PEER_FAILED_VERIFICATION:
      return Unavailable("{}: TLS failed: the certificate is not valid for this name or not trusted: {}", name, detail);
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return Unavailable("{}: TLS failed: {}", name, detail);
    case CURLE_ABORTED_BY_CALLBACK:
      return absl::CancelledError(name + ": given up");
    case CURLE_GOT_NOTHING:
      return Unavailable("{}: the peer closed the connection without an answer", name);
    case CURLE_TOO_MANY_REDIRECTS:
      return Unavailable("{}: more than {} redirects", name, kMaxRedirects);
    case CURLE_OUT_OF_MEMORY:
      return ResourceExhausted("{}: no memory for the request", name);
    default:
      return Unavailable("{}: the exchange failed: {}", name, detail);
  }
}

}  // namespace

std::string HttpResponse::Header(const std::string& name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return "";
}

absl::StatusOr<HttpResponse> SendHttp(const HttpRequest& request) {
  InitCurlOnce();
  OMNIX_ASSIGN_OR_RETURN(const std::string name, CheckedUrlName(request.url));
  if (!IsToken(request.method) || request.method.size() > kMaxMethodBytes) {
    return InvalidArgument("{}: the method is no HTTP method", name);
  }
  HeaderList headers;
  OMNIX_RETURN_IF_ERROR(Annotate(AddHeaders(request, &headers), name + ": "));
  HeaderList connect_to;
  if (!request.connect_to.empty()) connect_to.Add("::" + request.connect_to);

  const Easy easy(curl_easy_init());
  if (easy == nullptr) return ResourceExhausted("{}: no memory for the request", name);
  Transfer transfer;
  transfer.max_body_bytes = request.max_body_bytes;
  char error[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, error);
  SetOptions(easy.get(), request, headers, &transfer);
  if (connect_to.get() != nullptr) curl_easy_setopt(easy.get(), CURLOPT_CONNECT_TO, connect_to.get());

  const CURLcode code = curl_easy_perform(easy.get());
  if (code != CURLE_OK && !transfer.cut) return TransferError(code, easy.get(), transfer, request, name, error);
  long status = 0;
  curl_off_t total_us = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy.get(), CURLINFO_TOTAL_TIME_T, &total_us);
  transfer.response.status = static_cast<int>(status);
  transfer.response.duration = absl::Microseconds(total_us);
  return std::move(transfer.response);
}

}  // namespace omnix
