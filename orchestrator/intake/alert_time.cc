#include "orchestrator/intake/alert_time.h"

#include <array>
#include <cmath>
#include <string>

#include "absl/strings/numbers.h"
#include "common/status.h"

namespace omnix {
namespace {

using OptionalTime = std::optional<absl::Time>;

constexpr size_t kMaxTimeBytes = 64;
constexpr std::array kFormats = {"%Y-%m-%d%ET%H:%M:%E*S%Ez", "%Y-%m-%d%ET%H:%M:%E*S%z", "%Y-%m-%d%ET%H:%M:%E*S"};
// As mail and HTTP write it: for the text as it is.
constexpr std::array kMailFormats = {"%a, %d %b %Y %H:%M:%S GMT", "%a, %d %b %Y %H:%M:%S %z"};

absl::Status NoTime() { return InvalidArgument("no time as in RFC 3339 and no seconds since 1970"); }

absl::StatusOr<OptionalTime> SinceEpoch(double number) {
  constexpr double kPerThousand = 1e3;
  // The year 5138: as milliseconds it is in 1973.
  constexpr double kMaxSeconds = 1e11;
  constexpr int kSmallerUnits = 3;
  if (number == 0) return OptionalTime();
  for (int unit = 0; unit <= kSmallerUnits; ++unit, number /= kPerThousand) {
    if (std::abs(number) >= kMaxSeconds) continue;
    // A double holds seconds of our time to a quarter of a microsecond.
    const absl::Duration since = absl::Seconds(number) + absl::Nanoseconds(500);
    return OptionalTime(absl::UnixEpoch() + absl::Floor(since, absl::Microseconds(1)));
  }
  return NoTime();
}

bool IsDigits(const std::string& text) { return text.find_first_not_of("0123456789.") == std::string::npos; }

// "2025.09.04 07:14:03 +0000" -> "2025-09-04T07:14:03+0000".
std::string Tidied(std::string text) {
  constexpr size_t kYear = 4, kMonth = 7, kDay = 10;
  if (text.size() <= kDay) return text;
  for (const size_t i : {kYear, kMonth}) {
    if (text[i] == '.' || text[i] == '/') text[i] = '-';
  }
  if (text[kDay] == ' ') text[kDay] = 'T';
  for (const std::string_view utc : {" UTC", " GMT"}) {
    if (text.ends_with(utc)) text.resize(text.size() - utc.size());
  }
  std::erase(text, ' ');
  return text;
}

absl::StatusOr<OptionalTime> FromText(const std::string& text) {
  double number = 0;
  if (IsDigits(text) && absl::SimpleAtod(text, &number)) return SinceEpoch(number);
  const std::string tidied = Tidied(text);
  for (const char* format : kFormats) {
    absl::Time time;
    if (!absl::ParseTime(format, tidied, &time, nullptr)) continue;
    if (absl::ToCivilYear(time, absl::UTCTimeZone()).year() <= 1) return OptionalTime();
    return OptionalTime(time);
  }
  for (const char* format : kMailFormats) {
    absl::Time time;
    if (absl::ParseTime(format, text, &time, nullptr)) return OptionalTime(time);
  }
  return NoTime();
}

// The alerts of a group often began at the same time.
struct LastText {
  std::string text;
  absl::StatusOr<OptionalTime> time;
};

}  // namespace

absl::StatusOr<std::optional<absl::Time>> ReadAlertTime(const Json& value) {
  if (value.is_null()) return OptionalTime();
  if (value.is_number()) return SinceEpoch(value.get<double>());
  if (!value.is_string()) return NoTime();
  const auto& text = value.get_ref<const std::string&>();
  if (text.empty()) return OptionalTime();
  if (text.size() > kMaxTimeBytes) return NoTime();
  thread_local LastText last{"", OptionalTime()};
  if (last.text != text) last = {text, FromText(text)};
  return last.time;
}

}  // namespace omnix
