// When a log line was written, as it says itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace omnix {

struct LineTime {
  // UNIX time, seconds.
  int64_t seconds = 0;
  // Where it stands in the line.
  size_t begin = 0;
  size_t end = 0;
};

// Recognizes, near the beginning of a line (in JSON: in its first fields): ISO 8601 and RFC 3339
// ("2025-09-04T07:14:03Z", "2025-09-04 07:14:03,120 +02:00"), nginx and Go ("2025/09/04 07:14:03"), access logs
// ("04/Sep/2025:07:14:03 +0000"), syslog ("Sep  4 07:14:03", the year being that of `now` or the one before), Apache
// and ctime ("Thu Sep 04 07:14:03.1 2025"), Redis ("04 Sep 2025 07:14:03.120"), klog ("E0904 07:14:03.120"), UNIX
// seconds, milliseconds or nanoseconds. A time without a zone is of `zone`. Keeps what the last line was like: one
// reader per file, not thread-safe.
class LineTimeReader {
 public:
  LineTimeReader(absl::TimeZone zone, absl::Time now);
  std::optional<LineTime> Read(std::string_view line);

 private:
  std::optional<LineTime> At(std::string_view line, size_t at);
  std::optional<LineTime> ReadDateFirst(std::string_view line, size_t at);
  std::optional<LineTime> ReadDayFirst(std::string_view line, size_t at);
  std::optional<LineTime> ReadMonthFirst(std::string_view line, size_t at);
  std::optional<LineTime> ReadKlog(std::string_view line, size_t at);
  std::optional<LineTime> ReadUnix(std::string_view line, size_t at);
  // UNIX time of local time; the offset is looked up once an hour.
  int64_t Local(int64_t local_seconds);
  int64_t WithYear(int month, int day, int64_t second_of_day);

  absl::TimeZone zone_;
  int64_t now_;
  int year_;
  // Where the last line had it.
  size_t last_at_ = 0;
  int64_t offset_hour_ = INT64_MIN;
  int64_t offset_ = 0;
};

}  // namespace omnix
