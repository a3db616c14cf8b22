// What the intake makes of a body.
#pragma once

#include <omnix/v1/alert.pb.h>

#include <cstdint>
#include <string>
#include <vector>

namespace omnix {

// Alerts of one body. A monitor that groups more is told to send smaller groups.
inline constexpr size_t kMaxAlertsPerBody = 10'000;

// How the sender expects to be answered.
enum class ReplyStyle { kOmnix, kPagerDuty };

// Amazon SNS asks whether it may send: by fetching the URL one says yes.
struct SnsSubscription {
  std::string topic;
  std::string url;
};

struct ParsedAlerts {
  // The format that read it; "unknown" where none knew the body.
  std::string format;
  std::vector<v1::Alert> alerts;
  // Alerts that the monitor itself left out of the body. Each kept alert bears the number as label
  // `omnix_truncated_alerts`.
  uint64_t truncated = 0;
  // What was taken otherwise than it was sent, for people. Quotes nothing of the body.
  std::vector<std::string> warnings;
  // Why there is no alert, where the body is well and there is none.
  std::string note;
  ReplyStyle reply = ReplyStyle::kOmnix;
  // The key that such an answer gives back where there is no alert.
  std::string reply_key;
  SnsSubscription subscription;
};

}  // namespace omnix
