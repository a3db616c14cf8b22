#include "orchestrator/intake/sns_confirmer.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <string_view>

#include "common/http_client.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr size_t kMaxWaiting = 16;
constexpr size_t kMaxTopicBytes = 256;
constexpr absl::Duration kFetchTimeout = absl::Seconds(10);
constexpr int kHttpOk = 200;

bool IsSnsHost(std::string_view host) {
  constexpr std::string_view kStart = "sns.";
  if (!host.starts_with(kStart)) return false;
  host.remove_prefix(kStart.size());
  const size_t dot = host.find('.');
  if (dot == 0 || dot == std::string_view::npos) return false;
  const std::string_view region = host.substr(0, dot), domain = host.substr(dot + 1);
  return region.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos &&
         (domain == "amazonaws.com" || domain == "amazonaws.com.cn");
}

bool IsTopicArn(std::string_view topic) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.";
  return topic.starts_with("arn:") && topic.find(":sns:") != std::string_view::npos && topic.size() <= kMaxTopicBytes &&
         topic.find_first_not_of(kAllowed) == std::string_view::npos;
}

absl::Status FetchOverHttps(const std::string& url) {
  HttpRequest request;
  request.url = url;
  request.timeout = kFetchTimeout;
  OMNIX_ASSIGN_OR_RETURN(const HttpResponse response, SendHttp(request));
  if (response.status != kHttpOk) return Unavailable("HTTP {}", response.status);
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckSnsTopic(const std::string& topic) {
  if (IsTopicArn(topic)) return absl::OkStatus();
  return InvalidArgument(
      "--sns-topic: \"{}\" is no topic's ARN: expected such as arn:aws:sns:eu-central-1:123456789012:alerts", topic);
}

absl::Status CheckSnsSubscription(const SnsSubscription& subscription, const std::vector<std::string>& topics) {
  constexpr std::string_view kScheme = "https://";
  // What is logged next is made to be copied.
  if (!IsTopicArn(subscription.topic)) return PermissionDenied("what asks for it names no topic's ARN");
  if (std::ranges::find(topics, subscription.topic) == topics.end()) {
    return PermissionDenied(
        "topic {} is none of --sns-topic: to confirm it, start omnixd with --sns-topic {} and let SNS ask again "
        "(\"Request confirmation\")",
        subscription.topic, subscription.topic);
  }
  const std::string_view url = subscription.url;
  const std::string_view rest = url.starts_with(kScheme) ? url.substr(kScheme.size()) : "";
  // An authority ends at these; a '@', ':' or '\' in it makes it no plain host.
  if (!IsSnsHost(rest.substr(0, rest.find_first_of("/?#")))) {
    return PermissionDenied("topic {}: the URL to confirm it is none of SNS (https://sns.REGION.amazonaws.com/)",
                            subscription.topic);
  }
  return absl::OkStatus();
}

SnsConfirmer::SnsConfirmer(std::vector<std::string> topics) : SnsConfirmer(std::move(topics), FetchOverHttps) {}

SnsConfirmer::SnsConfirmer(std::vector<std::string> topics, Fetch fetch)
    : topics_(std::move(topics)), fetch_(std::move(fetch)), thread_([this] { Work(); }) {}

SnsConfirmer::~SnsConfirmer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void SnsConfirmer::OnRequest(const SnsSubscription& subscription) {
  if (const absl::Status allowed = CheckSnsSubscription(subscription, topics_); !allowed.ok()) {
    return spdlog::warn("SNS asks to confirm a subscription: {}", Message(allowed));
  }
  const std::lock_guard lock(mutex_);
  if (waiting_.size() >= kMaxWaiting) {
    return spdlog::warn("SNS asks to confirm {}: too many such requests wait", subscription.topic);
  }
  waiting_.push_back(subscription);
  changed_.notify_one();
}

void SnsConfirmer::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    const SnsSubscription subscription = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    // The URL holds a token: it is not logged.
    if (const absl::Status fetched = fetch_(subscription.url); fetched.ok()) {
      spdlog::info("the subscription of SNS topic {} is confirmed", subscription.topic);
    } else {
      spdlog::warn("the subscription of SNS topic {} could not be confirmed: {}", subscription.topic,
                   absl::StatusCodeToString(fetched.code()));
    }
    lock.lock();
  }
}

}  // namespace omnix
