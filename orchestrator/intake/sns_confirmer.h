// The handshake of Amazon SNS: a subscription begins once the subscriber has fetched a URL that SNS sent it.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "orchestrator/intake/parsed_alerts.h"

namespace omnix {

// Whether --sns-topic was given the ARN of a topic of SNS. Errors: INVALID_ARGUMENT.
absl::Status CheckSnsTopic(const std::string& topic);

// Whether this URL may be fetched to confirm a subscription of this topic: https, a host sns.REGION.amazonaws.com (or
// .com.cn) without port or credentials, and the topic among `topics`. Errors: PERMISSION_DENIED with what to do.
absl::Status CheckSnsSubscription(const SnsSubscription& subscription, const std::vector<std::string>& topics);

// Confirms subscriptions of the topics it was told of; nothing else is fetched. One request at a time, on a thread of
// its own. Thread-safe.
class SnsConfirmer {
 public:
  // GETs the URL; the error says why it failed.
  using Fetch = std::function<absl::Status(const std::string& url)>;

  explicit SnsConfirmer(std::vector<std::string> topics);
  SnsConfirmer(std::vector<std::string> topics, Fetch fetch);
  // Waits for the request under way, drops those that wait.
  ~SnsConfirmer();

  // Returns at once; what comes of it is logged.
  void OnRequest(const SnsSubscription& subscription);

 private:
  void Work();

  const std::vector<std::string> topics_;
  const Fetch fetch_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<SnsSubscription> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace omnix
