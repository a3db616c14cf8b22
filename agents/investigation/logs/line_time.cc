#include "agents/investigation/logs/line_time.h"

#include <algorithm>
#include <array>

namespace omnix {
namespace {

constexpr size_t kLookedAt = 80;
constexpr size_t kLookedAtInJson = 400;
constexpr int64_t kSecondsOfDay = 86400;
constexpr int64_t kSecondsOfHour = 3600;
// "HH:MM:SS"
constexpr size_t kClockLength = 8;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Reads from the front of a text; false, and nothing taken, where it is not as wanted.
class Scanner {
 public:
  Scanner(std::string_view line, size_t at) : line_(line), at_(at) {}
  size_t at() const { return at_; }
  char Peek() const { return at_ < line_.size() ? line_[at_] : '\0'; }
  bool Take(char c) {
    if (Peek() != c) return false;
    ++at_;
    return true;
  }
  bool TakeAnyOf(std::string_view set) {
    if (at_ >= line_.size() || set.find(line_[at_]) == std::string_view::npos) return false;
    ++at_;
    return true;
  }
  // Exactly `digits` of them, the value in [low, high].
  bool Number(size_t digits, int low, int high, int* value) {
    if (at_ + digits > line_.size()) return false;
    int number = 0;
    for (size_t i = 0; i < digits; ++i) {
      if (!IsDigit(line_[at_ + i])) return false;
      number = number * 10 + (line_[at_ + i] - '0');
    }
    if (number < low || number > high) return false;
    *value = number;
    at_ += digits;
    return true;
  }
  // One or two digits, perhaps with a blank in place of the first.
  bool Day(int* day) {
    const size_t before = at_;
    Take(' ');
    if (Number(2, 1, 31, day) || Number(1, 1, 9, day)) return true;
    at_ = before;
    return false;
  }
  bool Month(int* month) {
    constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
    constexpr size_t kLength = 3;
    if (at_ + kLength > line_.size()) return false;
    const size_t found = kMonths.find(line_.substr(at_, kLength));
    if (found == std::string_view::npos || found % kLength != 0) return false;
    *month = static_cast<int>(found / kLength) + 1;
    at_ += kLength;
    return true;
  }
  // "07:14:03", perhaps ".120" or ",120" behind it.
  bool Clock(int64_t* second_of_day) {
    if (at_ + kClockLength > line_.size()) return false;
    int hour = 0, minute = 0, second = 0;
    Scanner s = *this;
    if (!s.Number(2, 0, 23, &hour) || !s.Take(':') || !s.Number(2, 0, 59, &minute) || !s.Take(':') ||
        !s.Number(2, 0, 60, &second))
      return false;
    *this = s;
    *second_of_day = hour * kSecondsOfHour + minute * 60 + second;
    if ((Peek() == '.' || Peek() == ',') && at_ + 1 < line_.size() && IsDigit(line_[at_ + 1])) {
      ++at_;
      while (IsDigit(Peek())) ++at_;
    }
    return true;
  }
  // "Z", "+0200", " +02:00", "UTC". False where there is none.
  bool Zone(int64_t* offset) {
    Scanner s = *this;
    s.Take(' ');
    int hours = 0, minutes = 0;
    if (s.Take('Z') || (s.Take('U') && s.Take('T') && s.Take('C'))) {
      *offset = 0;
    } else {
      const bool east = s.Peek() == '+';
      if (!s.TakeAnyOf("+-") || !s.Number(2, 0, 14, &hours)) return false;
      s.Take(':');
      if (!s.Number(2, 0, 59, &minutes)) return false;
      *offset = (east ? 1 : -1) * (hours * kSecondsOfHour + minutes * 60);
    }
    *this = s;
    return true;
  }

 private:
  std::string_view line_;
  size_t at_;
};

// Days since 1970-01-01 of a day of the Gregorian calendar.
int64_t DaysOf(int year, int month, int day) {
  const int64_t y = month <= 2 ? year - 1 : year;
  const int64_t era = y / 400;
  const int64_t year_of_era = y - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

}  // namespace

LineTimeReader::LineTimeReader(absl::TimeZone zone, absl::Time now)
    : zone_(zone), now_(absl::ToUnixSeconds(now)), year_(static_cast<int>(absl::ToCivilYear(now, zone).year())) {}

int64_t LineTimeReader::Local(int64_t local_seconds) {
  const int64_t hour = local_seconds / kSecondsOfHour;
  if (hour != offset_hour_) {
    // Near a change of the offset this is an hour off at most.
    offset_ = zone_.At(absl::FromUnixSeconds(local_seconds)).offset;
    offset_ = zone_.At(absl::FromUnixSeconds(local_seconds - offset_)).offset;
    offset_hour_ = hour;
  }
  return local_seconds - offset_;
}

int64_t LineTimeReader::WithYear(int month, int day, int64_t second_of_day) {
  const int64_t seconds = Local(DaysOf(year_, month, day) * kSecondsOfDay + second_of_day);
  if (seconds <= now_ + kSecondsOfDay) return seconds;
  return Local(DaysOf(year_ - 1, month, day) * kSecondsOfDay + second_of_day);
}

// "2025-09-04T07:14:03.120Z", "2025/09/04 07:14:03"
std::optional<LineTime> LineTimeReader::ReadDateFirst(std::string_view line, size_t at) {
  Scanner s(line, at);
  int year = 0, month = 0, day = 0;
  int64_t clock = 0, offset = 0;
  if (!s.Number(4, 1970, 2199, &year)) return std::nullopt;
  const char separator = s.Peek();
  if (!s.TakeAnyOf("-/") || !s.Number(2, 1, 12, &month) || !s.Take(separator) || !s.Number(2, 1, 31, &day) ||
      !s.TakeAnyOf("T t_") || !s.Clock(&clock))
    return std::nullopt;
  const int64_t seconds = DaysOf(year, month, day) * kSecondsOfDay + clock;
  if (s.Zone(&offset)) return LineTime{seconds - offset, at, s.at()};
  return LineTime{Local(seconds), at, s.at()};
}

// "04/Sep/2025:07:14:03 +0000", "04 Sep 2025 07:14:03.120"
std::optional<LineTime> LineTimeReader::ReadDayFirst(std::string_view line, size_t at) {
  Scanner s(line, at);
  int year = 0, month = 0, day = 0;
  int64_t clock = 0, offset = 0;
  if (!s.Number(2, 1, 31, &day) || !s.TakeAnyOf("/ -") || !s.Month(&month) || !s.TakeAnyOf("/ -") ||
      !s.Number(4, 1970, 2199, &year) || !s.TakeAnyOf(": ") || !s.Clock(&clock))
    return std::nullopt;
  const int64_t seconds = DaysOf(year, month, day) * kSecondsOfDay + clock;
  if (s.Zone(&offset)) return LineTime{seconds - offset, at, s.at()};
  return LineTime{Local(seconds), at, s.at()};
}

// "Sep  4 07:14:03", "Sep 04 07:14:03.1 2025"
std::optional<LineTime> LineTimeReader::ReadMonthFirst(std::string_view line, size_t at) {
  Scanner s(line, at);
  int year = 0, month = 0, day = 0;
  int64_t clock = 0;
  if (!s.Month(&month) || !s.Take(' ') || !s.Day(&day) || !s.Take(' ') || !s.Clock(&clock)) return std::nullopt;
  Scanner behind = s;
  if (behind.Take(' ') && behind.Number(4, 1970, 2199, &year) && !IsDigit(behind.Peek()))
    return LineTime{Local(DaysOf(year, month, day) * kSecondsOfDay + clock), at, behind.at()};
  return LineTime{WithYear(month, day, clock), at, s.at()};
}

// "E0904 07:14:03.120456"
std::optional<LineTime> LineTimeReader::ReadKlog(std::string_view line, size_t at) {
  Scanner s(line, at);
  int month = 0, day = 0;
  int64_t clock = 0;
  if (at != 0 || !s.TakeAnyOf("IWEF") || !s.Number(2, 1, 12, &month) || !s.Number(2, 1, 31, &day) || !s.Take(' ') ||
      !s.Clock(&clock))
    return std::nullopt;
  // The letter is the level: it stays in the line.
  return LineTime{WithYear(month, day, clock), at + 1, s.at()};
}

// Seconds (10 digits, perhaps a fraction), milli-, micro- or nanoseconds (13, 16, 19) between 2001 and 2100.
std::optional<LineTime> LineTimeReader::ReadUnix(std::string_view line, size_t at) {
  constexpr int64_t kFirst = 1000000000;
  constexpr int64_t kLast = 4102444800;
  constexpr size_t kDigits = 10;
  size_t end = at;
  while (end < line.size() && IsDigit(line[end])) ++end;
  const size_t digits = end - at;
  if (digits < kDigits || digits > 19 || (digits - kDigits) % 3 != 0) return std::nullopt;
  int64_t seconds = 0;
  for (size_t i = at; i < at + kDigits; ++i) seconds = seconds * 10 + (line[i] - '0');
  if (seconds < kFirst || seconds > kLast) return std::nullopt;
  if (end + 1 < line.size() && line[end] == '.' && IsDigit(line[end + 1])) {
    ++end;
    while (end < line.size() && IsDigit(line[end])) ++end;
  }
  return LineTime{seconds, at, end};
}

std::optional<LineTime> LineTimeReader::At(std::string_view line, size_t at) {
  const char c = line[at];
  const char before = at == 0 ? ' ' : line[at - 1];
  if (IsDigit(before)) return std::nullopt;
  if (IsDigit(c)) {
    if (auto time = ReadDateFirst(line, at)) return time;
    if (auto time = ReadDayFirst(line, at)) return time;
    // Elsewhere such a number may be anything.
    const bool field = at == 0 || before == '[' || before == ':' || before == '=' || before == '"';
    return field ? ReadUnix(line, at) : std::nullopt;
  }
  if (c >= 'A' && c <= 'S') {
    if (auto time = ReadMonthFirst(line, at)) return time;
    if (at == 0) return ReadKlog(line, at);
  }
  return std::nullopt;
}

std::optional<LineTime> LineTimeReader::Read(std::string_view line) {
  if (last_at_ < line.size()) {
    if (auto time = At(line, last_at_)) return time;
  }
  const bool json = !line.empty() && line[0] == '{';
  const size_t end = std::min(line.size(), json ? kLookedAtInJson : kLookedAt);
  for (size_t at = 0; at < end; ++at) {
    if (auto time = At(line, at)) {
      last_at_ = at;
      return time;
    }
  }
  return std::nullopt;
}

}  // namespace omnix
