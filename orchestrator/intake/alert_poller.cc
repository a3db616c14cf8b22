#include "orchestrator/intake/alert_poller.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "common/file.h"
#include "common/http_client.h"
#include "common/redact.h"
#include "common/status.h"
#include "common/time.h"
#include "orchestrator/intake/polled_body.h"

namespace omnix {
namespace {

constexpr absl::Duration kMaxBackoff = absl::Minutes(5);
// Monitors that push repeat what still fires; so does this.
constexpr absl::Duration kRepeatInterval = absl::Minutes(10);
// Of one call, so that an operator's command never waits for thousands.
constexpr size_t kAlertsADelivery = 500;
constexpr size_t kMaxSecretBytes = 16 << 10;
constexpr size_t kMaxErrorBytes = 512;
constexpr int kHttpOk = 200;
constexpr int kHttpUnauthorized = 401;
constexpr int kHttpForbidden = 403;
constexpr int kHttpNotFound = 404;
constexpr int kFirstRedirect = 300;
constexpr int kLastRedirect = 399;

absl::StatusOr<std::string> SecretOf(const v1::AlertPollHeader& header) {
  if (!header.value_file().empty()) {
    OMNIX_ASSIGN_OR_RETURN(const std::string text, ReadFile(header.value_file(), kMaxSecretBytes));
    return std::string(absl::StripAsciiWhitespace(text));
  }
  const char* value = std::getenv(header.value_env().c_str());
  if (value == nullptr) return NotFound("the environment has no {}", header.value_env());
  return std::string(value);
}

absl::Status CheckAnswer(const HttpResponse& response) {
  const int status = response.status;
  if (status == kHttpUnauthorized || status == kHttpForbidden) {
    return Unavailable("HTTP {}: the monitor does not let Omnix in: set `header` in the file of --poll", status);
  }
  if (status >= kFirstRedirect && status <= kLastRedirect) {
    return Unavailable("HTTP {}: a redirect, which is not followed: give the final address as `url`", status);
  }
  if (status == kHttpNotFound) {
    return NotFound("HTTP 404: no such API there: does `url` have the path behind which the monitor lives?");
  }
  if (status != kHttpOk) return Unavailable("HTTP {}", status);
  if (response.truncated) return ResourceExhausted("the answer has more than {} bytes", kMaxPolledBytes);
  return absl::OkStatus();
}

}  // namespace

AlertPoller::AlertPoller(v1::AlertPoll poll, AlertPollerParts parts, const std::vector<v1::Alert>& firing)
    : poll_(std::move(poll)), parts_(std::move(parts)) {
  for (const v1::Alert& alert : firing) {
    const auto label = alert.labels().find(kPollLabel);
    if (label != alert.labels().end() && label->second == poll_.name()) ledger_.Restore(alert);
  }
  status_.set_name(poll_.name());
  status_.set_url(poll_.url());
  status_.set_firing(static_cast<uint32_t>(ledger_.firing()));
  thread_ = std::thread([this] { Run(); });
}

AlertPoller::~AlertPoller() {
  RequestStop();
  thread_.join();
}

void AlertPoller::RequestStop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stop_changed_.notify_all();
}

v1::PolledMonitor AlertPoller::Status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void AlertPoller::Run() {
  while (!stop_) {
    const absl::Status polled = Poll();
    Record(polled);
    if (polled.ok() && parts_.heard) parts_.heard(poll_.name());
    std::unique_lock lock(mutex_);
    stop_changed_.wait_for(lock, absl::ToChronoNanoseconds(NextWait()), [this] { return stop_.load(); });
  }
}

absl::Duration AlertPoller::NextWait() const {
  constexpr uint32_t kMaxDoublings = 16;
  const absl::Duration interval = FromProto(poll_.interval());
  const uint32_t doublings = std::min(status_.failures() > 0 ? status_.failures() - 1 : 0, kMaxDoublings);
  return std::max(interval, std::min(interval * (int64_t{1} << doublings), kMaxBackoff));
}

absl::Status AlertPoller::Poll() {
  OMNIX_ASSIGN_OR_RETURN(const std::string bytes, Get(PolledAlertsPath(poll_.kind())));
  OMNIX_ASSIGN_OR_RETURN(const PolledBody body, ReadPolledBody(poll_.kind(), bytes, poll_.url()));
  const absl::Time now = parts_.clock->Now();
  PollReading reading;
  reading.held = body.held;
  if (!body.webhook.is_null()) {
    OMNIX_ASSIGN_OR_RETURN(ParsedAlerts parsed, parts_.intake->Read({"alertmanager", {}, DumpJson(body.webhook), now}));
    reading.firing = std::move(parsed.alerts);
  }
  for (v1::Alert& alert : reading.firing) (*alert.mutable_labels())[kPollLabel] = poll_.name();
  if (ledger_.Misses(reading)) {
    OMNIX_ASSIGN_OR_RETURN(reading.settled, IsSettled());
  }
  reading.repeat = now - last_repeat_ >= kRepeatInterval || now < last_repeat_;
  OMNIX_RETURN_IF_ERROR(Deliver(ledger_.Due(reading, now)));
  if (reading.repeat) last_repeat_ = now;
  return absl::OkStatus();
}

absl::StatusOr<std::string> AlertPoller::Get(const std::string& path) const {
  HttpRequest request;
  request.url = poll_.url() + path;
  request.timeout = FromProto(poll_.timeout());
  request.max_body_bytes = kMaxPolledBytes;
  request.stop = &stop_;
  request.headers = {{"Accept", "application/json"}};
  if (poll_.has_header()) {
    OMNIX_ASSIGN_OR_RETURN(const std::string secret, SecretOf(poll_.header()));
    const std::string& name = poll_.header().name();
    request.headers.emplace_back(name.empty() ? "Authorization" : name, poll_.header().prefix() + secret);
  }
  OMNIX_ASSIGN_OR_RETURN(HttpResponse response, SendHttp(request));
  OMNIX_RETURN_IF_ERROR(Annotate(CheckAnswer(response), request.url + ": "));
  return std::move(response.body);
}

absl::StatusOr<bool> AlertPoller::IsSettled() const {
  const auto bytes = Get(PolledStatusPath(poll_.kind()));
  // An older monitor, or a proxy that lets only the alerts through.
  if (absl::IsNotFound(bytes.status())) return true;
  OMNIX_RETURN_IF_ERROR(bytes.status());
  OMNIX_ASSIGN_OR_RETURN(const absl::Time started, ReadPolledStart(poll_.kind(), *bytes));
  return parts_.clock->Now() - started >= FromProto(poll_.settle());
}

absl::Status AlertPoller::Deliver(const std::vector<v1::Alert>& due) {
  for (size_t begin = 0; begin < due.size(); begin += kAlertsADelivery) {
    const size_t end = std::min(begin + kAlertsADelivery, due.size());
    const std::vector<v1::Alert> part(due.begin() + static_cast<ptrdiff_t>(begin),
                                      due.begin() + static_cast<ptrdiff_t>(end));
    OMNIX_RETURN_IF_ERROR(Annotate(parts_.deliver(part), "its alerts can't be kept: "));
    ledger_.Took(part);
  }
  return absl::OkStatus();
}

void AlertPoller::Record(const absl::Status& status) {
  const std::lock_guard lock(mutex_);
  if (stop_) return;
  if (status.ok()) {
    if (status_.failures() > 0) {
      spdlog::info("poll {}: {} answers again after {} failures", poll_.name(), poll_.url(), status_.failures());
    }
    status_.set_failures(0);
    status_.clear_error();
    *status_.mutable_last_success() = ToProto(parts_.clock->Now());
    status_.set_firing(static_cast<uint32_t>(ledger_.firing()));
    return;
  }
  const std::string error = Excerpt(Message(status), kMaxErrorBytes);
  // Each failure once, not every time.
  if (error != status_.error()) spdlog::warn("poll {}: {}", poll_.name(), error);
  status_.set_failures(status_.failures() + 1);
  status_.set_error(error);
}

}  // namespace omnix
