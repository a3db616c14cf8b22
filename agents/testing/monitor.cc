#include "agents/testing/monitor.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "agents/checks/check.h"
#include "common/http_client.h"
#include "common/redact.h"
#include "common/status.h"
#include "common/time.h"

namespace omnix {
namespace {

constexpr absl::Duration kFirstBackoff = absl::Milliseconds(500);
constexpr absl::Duration kMaxBackoff = absl::Seconds(15);
constexpr absl::Duration kSendTimeout = absl::Seconds(5);
constexpr int kFirstRefusal = 300;
constexpr int kFirstServerError = 500;

}  // namespace

Monitor::Monitor(MonitorOptions options, v1::SystemModel system, std::vector<v1::Suite> suites)
    : options_(std::move(options)),
      system_(std::move(system)),
      suites_(std::move(suites)),
      book_(system_.name(), options_.after) {
  // The schedule is the stability window.
  for (v1::Suite& suite : suites_) suite.clear_stability();
}

void Monitor::RunSuitesOnce(const std::function<bool()>& cancelled) {
  std::vector<v1::CheckResult> results;
  for (const v1::Suite& suite : suites_) {
    CheckContext context{.system = system_, .variables = {}};
    context.cancelled = cancelled;
    v1::Verdict verdict = RunSuite(suite, context);
    std::move(verdict.mutable_results()->begin(), verdict.mutable_results()->end(), std::back_inserter(results));
  }
  if (cancelled()) return;
  for (const std::string& line : book_.Observe(results, clock_.Now())) spdlog::info("{}", line);
  if (book_.changed() && backoff_ == absl::ZeroDuration()) next_send_ = clock_.Monotonic();
}

void Monitor::Send() {
  HttpRequest request;
  request.method = "POST";
  request.url = options_.alert_url;
  request.headers = options_.alert_headers;
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = DumpJson(book_.Payload());
  request.timeout = kSendTimeout;
  const auto response = SendHttp(request);
  const bool again =
      !response.ok() ? !absl::IsInvalidArgument(response.status()) : response->status >= kFirstServerError;
  if (again) {
    backoff_ = backoff_ == absl::ZeroDuration() ? kFirstBackoff : std::min(2 * backoff_, kMaxBackoff);
    next_send_ = clock_.Monotonic() + backoff_;
    spdlog::warn("alerts not taken ({}); trying again in {}",
                 response.ok() ? std::to_string(response->status) : Redact(Message(response.status())),
                 omnix::FormatDuration(backoff_));
    return;
  }
  if (!response.ok()) spdlog::error("alerts can't be sent: {}", Redact(Message(response.status())));
  if (response.ok() && response->status >= kFirstRefusal) {
    spdlog::error("alerts refused with {}: {}", response->status, Excerpt(response->body));
  }
  backoff_ = absl::ZeroDuration();
  book_.Taken();
  next_send_ = clock_.Monotonic() + kResendInterval;
}

void Monitor::Run(const std::function<bool(absl::Duration)>& wait, const std::function<bool()>& cancelled) {
  next_run_ = clock_.Monotonic();
  do {
    if (clock_.Monotonic() >= next_run_) {
      next_run_ = clock_.Monotonic() + options_.every;
      RunSuitesOnce(cancelled);
    }
    const bool to_send = book_.changed() || book_.firing();
    if (to_send && clock_.Monotonic() >= next_send_ && !cancelled()) Send();
    const bool still = book_.changed() || book_.firing();
    const absl::Duration next = still ? std::min(next_run_, next_send_) : next_run_;
    if (!wait(std::max(next - clock_.Monotonic(), absl::ZeroDuration()))) return;
  } while (!cancelled());
}

}  // namespace omnix
