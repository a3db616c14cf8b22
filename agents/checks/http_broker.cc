#include "agents/checks/http_broker.h"

#include <algorithm>
#include <chrono>

#include "agents/checks/http_tools.h"
#include "agents/checks/url.h"
#include "common/status.h"

namespace omnix {
namespace {

// How soon a cancellation is seen while waiting.
constexpr absl::Duration kCancellationStep = absl::Milliseconds(50);

std::string AddressOfUrl(const std::string& text) {
  HostPort address;
  if (text.find("://") != std::string::npos) {
    const auto url = ParseUrl(text);
    if (!url.ok()) return "";
    address = {url->host, url->port};
  } else {
    const auto parsed = ParseHostPort(text);
    if (!parsed.ok()) return "";
    address = ConnectableAddress(*parsed);
  }
  if (address.host == "localhost" || address.host == "::1") address.host = "127.0.0.1";
  return address.host + ":" + address.port;
}

constexpr char kOrigin[] = "Origin";
constexpr char kWebSocket[] = "WebSocket";
// As SendHttp and ConverseOverWebSocket say it.
constexpr char kRefused[] = "connection refused";

std::string KeyOf(const HttpRequest& request, bool with_origin = true) {
  std::string key = request.method + " " + request.url + "\n" + request.connect_to + "\n";
  for (const auto& [name, value] : request.headers) {
    if (with_origin || name != kOrigin) key += name + ": " + value + "\n";
  }
  return key + (request.follow_redirects ? "f" : "") + (request.verify_tls ? "v" : "");
}

}  // namespace

HttpBroker::HttpBroker(const v1::SystemModel& system, HttpBrokerOptions options, std::function<bool()> cancelled)
    : options_(options), cancelled_(std::move(cancelled)), last_activity_(clock_.Monotonic()) {
  for (const v1::Service& service : system.services()) AddService(system, service);
  services_.push_back({"", {services_.size()}});
}

void HttpBroker::AddService(const v1::SystemModel& system, const v1::Service& service) {
  const size_t own = services_.size();
  std::set<std::string> names = {service.name()};
  std::vector<std::string> open = {service.name()};
  std::vector<size_t> reaches;
  while (!open.empty()) {
    const std::string name = open.back();
    open.pop_back();
    for (int i = 0; i < system.services_size(); ++i) {
      if (system.services(i).name() != name) continue;
      reaches.push_back(static_cast<size_t>(i));
      for (const std::string& needed : system.services(i).depends_on()) {
        if (names.insert(needed).second) open.push_back(needed);
      }
    }
  }
  services_.push_back({service.name(), std::move(reaches)});
  at_address_.emplace(AddressOfUrl(service.base_url()), own);
  for (const std::string& listen : service.listen()) at_address_.emplace(AddressOfUrl(listen), own);
  for (const v1::Instance& instance : service.instances()) at_address_.emplace(AddressOfUrl(instance.base_url()), own);
  at_address_.erase("");
}

size_t HttpBroker::ServiceAt(const std::string& address) const {
  const auto found = at_address_.find(address);
  return found == at_address_.end() ? services_.size() - 1 : found->second;
}

absl::Status HttpBroker::WaitForTurn(const std::string& url) {
  std::unique_lock lock(mutex_);
  ++waiting_;
  const absl::Status status = WaitForTurn(url, &lock);
  --waiting_;
  last_activity_ = clock_.Monotonic();
  return status;
}

absl::Status HttpBroker::WaitForTurn(const std::string& url, std::unique_lock<std::mutex>* lock) {
  const std::string address = AddressOfUrl(url);
  const absl::Duration gap = absl::Seconds(1 / options_.max_requests_per_second);
  if (const auto silent = timeouts_.find(address); silent != timeouts_.end() && silent->second >= options_.max_timeouts)
    return DeadlineExceeded("{}: not asked: {} requests to {} had no answer in time", url, silent->second, address);
  if (const auto refused = refused_at_.find(address);
      refused != refused_at_.end() && clock_.Monotonic() - refused->second < options_.refused_for)
    return Unavailable("{}: connection refused (nothing listens there)", url);
  Service& service = services_[ServiceAt(address)];
  ++service.sent;
  absl::Duration turn = clock_.Monotonic();
  for (const size_t reached : service.reaches) turn = std::max(turn, services_[reached].free_at);
  for (const size_t reached : service.reaches) services_[reached].free_at = turn + gap;
  for (absl::Duration now = clock_.Monotonic(); now < turn; now = clock_.Monotonic()) {
    if (cancelled_()) return Cancelled("{}: not asked: cancelled", url);
    changed_.wait_for(*lock, absl::ToChronoMicroseconds(std::min(turn - now, kCancellationStep)));
  }
  return absl::OkStatus();
}

void HttpBroker::WaitUntilIdle(absl::Duration span, const std::function<bool()>& done) {
  std::unique_lock lock(mutex_);
  const absl::Duration begin = clock_.Monotonic();
  const auto idle = [&] { return waiting_ == 0 && clock_.Monotonic() - std::max(begin, last_activity_) >= span; };
  while (!idle() && !done() && !cancelled_()) changed_.wait_for(lock, absl::ToChronoMicroseconds(kCancellationStep));
}

void HttpBroker::Note(const std::string& url, const absl::Status& status) {
  const std::lock_guard lock(mutex_);
  const std::string address = AddressOfUrl(url);
  if (absl::IsUnavailable(status) && Message(status).find(kRefused) != std::string::npos)
    refused_at_[address] = clock_.Monotonic();
  int& timeouts = timeouts_[address];
  timeouts = absl::IsDeadlineExceeded(status) ? timeouts + 1 : 0;
  last_activity_ = clock_.Monotonic();
}

absl::StatusOr<HttpResponse> HttpBroker::SendAnew(const HttpRequest& request) {
  OMNIX_RETURN_IF_ERROR(WaitForTurn(request.url));
  HttpRequest bounded = request;
  bounded.timeout = std::min(request.timeout, options_.max_timeout);
  bounded.connect_timeout = std::min(request.connect_timeout, options_.max_connect_timeout);
  {
    const std::lock_guard lock(mutex_);
    statuses_.try_emplace({request.method, request.url}, 0);
  }
  auto response = SendHttp(bounded);
  Note(request.url, response.status());
  const std::lock_guard lock(mutex_);
  if (!response.ok() && !absl::IsDeadlineExceeded(response.status())) {
    const auto asked = statuses_.find({request.method, request.url});
    if (asked->second == 0) statuses_.erase(asked);
  }
  if (response.ok()) {
    statuses_[{request.method, request.url}] = response->status;
    if (const std::string date = response->Header("date"); !date.empty())
      dates_[AddressOfUrl(request.url)] = {date, absl::Now() - response->duration / 2};
  }
  return response;
}

std::optional<HttpBroker::Dated> HttpBroker::LastDate(const std::string& url) const {
  const std::lock_guard lock(mutex_);
  const auto found = dates_.find(AddressOfUrl(url));
  return found == dates_.end() ? std::nullopt : std::optional(found->second);
}

int HttpBroker::KnownStatus(const std::string& method, const std::string& url) const {
  const std::lock_guard lock(mutex_);
  const auto found = statuses_.find({method, url});
  if (found != statuses_.end() && found->second != 0) return found->second;
  const auto learned = learned_.find({method, url});
  return learned == learned_.end() ? 0 : learned->second;
}

void HttpBroker::Learn(const std::string& method, const std::string& url, int status) {
  const std::lock_guard lock(mutex_);
  learned_[{method, url}] = status;
}

std::vector<int> HttpBroker::KnownStatuses(const std::string& service, const std::string& path_end) const {
  const std::lock_guard lock(mutex_);
  std::vector<int> statuses;
  for (const auto& [question, status] : statuses_) {
    const std::string& url = question.second;
    const std::string path = url.substr(0, url.find_first_of("?#"));
    if (path.ends_with(path_end) && services_[ServiceAt(AddressOfUrl(url))].name == service) statuses.push_back(status);
  }
  return statuses;
}

absl::StatusOr<HttpResponse> HttpBroker::Send(const HttpRequest& request) {
  if (!IsSafeMethod(request.method)) return SendAnew(request);
  auto pending = std::make_shared<Pending>();
  {
    std::unique_lock lock(mutex_);
    const auto [place, fresh] = answers_.try_emplace(KeyOf(request), pending);
    if (!fresh) {
      const std::shared_ptr<Pending> known = place->second;
      changed_.wait(lock, [&] { return known->done; });
      return known->answer;
    }
    // What a browser's origin adds to a question, the same question without it need not ask again.
    if (request.method != "OPTIONS") answers_.try_emplace(KeyOf(request, /*with_origin=*/false), pending);
  }
  auto answer = SendAnew(request);
  const std::lock_guard lock(mutex_);
  pending->done = true;
  pending->answer = answer;
  changed_.notify_all();
  return answer;
}

absl::StatusOr<WebSocketOutcome> HttpBroker::Converse(const WebSocketRequest& request) {
  // A conversation in which nothing is said is a question like any other.
  std::string key = request.url + "\n" + request.expect + "\n" + absl::FormatDuration(request.hold) + "\n";
  for (const auto& [name, value] : request.headers) key += name == kOrigin ? "" : name + ": " + value + "\n";
  if (request.send.empty()) {
    const std::lock_guard lock(mutex_);
    if (const auto known = conversations_.find(key); known != conversations_.end()) return known->second;
  }
  auto outcome = ConverseAnew(request);
  const std::lock_guard lock(mutex_);
  if (request.send.empty()) conversations_.try_emplace(key, outcome);
  return outcome;
}

absl::StatusOr<WebSocketOutcome> HttpBroker::ConverseAnew(const WebSocketRequest& request) {
  OMNIX_RETURN_IF_ERROR(WaitForTurn(request.url));
  WebSocketRequest bounded = request;
  bounded.timeout = std::min(request.timeout, options_.max_timeout + request.hold);
  auto outcome = ConverseOverWebSocket(bounded);
  Note(request.url, outcome.status());
  if (outcome.ok()) {
    const std::lock_guard lock(mutex_);
    statuses_[{kWebSocket, request.url}] = outcome->status;
  }
  return outcome;
}

int HttpBroker::sent(const std::string& service) const {
  const std::lock_guard lock(mutex_);
  for (const Service& known : services_) {
    if (known.name == service) return known.sent;
  }
  return 0;
}

absl::StatusOr<HttpResponse> Send(const CheckContext& context, const HttpRequest& request) {
  return context.http == nullptr ? SendHttp(request) : context.http->Send(request);
}

absl::StatusOr<WebSocketOutcome> Converse(const CheckContext& context, const WebSocketRequest& request) {
  return context.http == nullptr ? ConverseOverWebSocket(request) : context.http->Converse(request);
}

int KnownStatus(const CheckContext& context, std::initializer_list<std::string_view> methods, const std::string& url) {
  int status = 0;
  for (const std::string_view method : methods) {
    if (context.http != nullptr && status == 0) status = context.http->KnownStatus(std::string(method), url);
  }
  return status;
}

}  // namespace omnix
