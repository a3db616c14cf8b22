// Values as the tables have them.
#pragma once

#include <google/protobuf/timestamp.pb.h>

#include <cstdint>
#include <optional>
#include <string>

namespace omnix {

// Empty text is NULL.
inline std::optional<std::string> OrNull(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<std::string>(text);
}

// Text of a time as the tables have it: "2025-09-04T07:14:03.250Z". Remembers the last time and second, since events
// come in bursts and a time is written several times.
class TimeText {
 public:
  // Valid until the next call.
  const std::string& Format(const google::protobuf::Timestamp& time);

 private:
  int64_t second_ = 0;
  int32_t milli_ = -1;
  std::string prefix_;
  std::string text_;
};

}  // namespace omnix
