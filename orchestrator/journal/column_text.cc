#include "orchestrator/journal/column_text.h"

#include <fmt/format.h>

#include "common/time.h"

namespace omnix {

const std::string& TimeText::Format(const google::protobuf::Timestamp& time) {
  constexpr size_t kPrefixBytes = sizeof("2025-09-04T07:14:03") - 1;
  constexpr int32_t kNanosPerMilli = 1'000'000;
  const int32_t milli = time.nanos() / kNanosPerMilli;
  const bool same_second = !prefix_.empty() && time.seconds() == second_;
  if (same_second && milli == milli_) return text_;
  if (!same_second) {
    google::protobuf::Timestamp whole;
    whole.set_seconds(time.seconds());
    const std::string text = FormatTime(whole);
    // A year of more than four digits is written in full and not remembered.
    if (text[kPrefixBytes] != '.') {
      prefix_.clear();
      return text_ = FormatTime(time);
    }
    second_ = time.seconds();
    prefix_ = text.substr(0, kPrefixBytes);
  }
  milli_ = milli;
  return text_ = fmt::format("{}.{:03}Z", prefix_, milli);
}

}  // namespace omnix
