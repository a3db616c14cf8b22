#include "agents/sources/access_log.h"

#include <re2/re2.h>

#include <algorithm>
#include <deque>
#include <sstream>
#include <tuple>

#include "common/file.h"
#include "common/status.h"

namespace omnix {
namespace {

// '127.0.0.1 - - [04/Sep/2025:07:14:03 +0000] "GET /v1/products HTTP/1.1" 404 153 ...'
const re2::RE2& RequestLine() {
  static const re2::RE2* const regex =
      new re2::RE2(R"re(\[([^\]]{1,40})\].*?"([A-Z]{3,10}) ([^ "]+)[^"]*" (\d{3})\b)re");
  return *regex;
}

const re2::RE2& NginxErrorLine() {
  static const re2::RE2* const regex = new re2::RE2(R"re(^(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \[(\w+)\] )re");
  return *regex;
}

const re2::RE2& SpeaksOfError() {
  static const re2::RE2* const regex =
      new re2::RE2(R"re((?i)\b(error|fatal|panic|critical|emerg|exception|traceback|refused|timed out)\b)re");
  return *regex;
}

// "04/Sep/2025:07:14:03 +0000" or ISO 8601.
bool ParseLogTime(const std::string& text, absl::Time* time) {
  std::string error;
  return absl::ParseTime("%d/%b/%Y:%H:%M:%S %Ez", text, time, &error) ||
         absl::ParseTime(absl::RFC3339_full, text, time, &error);
}

}  // namespace

absl::StatusOr<AccessSummary> ReadAccessLog(const std::string& path, absl::Time since) {
  OMNIX_ASSIGN_OR_RETURN(const std::string tail, ReadFileTail(path, kMaxLogTailBytes));
  AccessSummary summary;
  std::map<std::tuple<std::string, std::string, int>, RequestCount> counts;
  std::istringstream lines(tail);
  for (std::string line; std::getline(lines, line);) {
    std::string when, method, target;
    int status = 0;
    absl::Time time;
    if (!re2::RE2::PartialMatch(line, RequestLine(), &when, &method, &target, &status) || !ParseLogTime(when, &time)) {
      ++summary.unread;
      continue;
    }
    if (time < since) continue;
    ++summary.lines;
    target = target.substr(0, target.find('?'));
    const auto key = std::make_tuple(method, target, status);
    if (counts.count(key) == 0 && counts.size() >= kMaxLogKeys) continue;
    RequestCount& count = counts[key];
    count.method = method;
    count.path = target;
    count.status = status;
    ++count.count;
    count.first = std::min(count.first, time);
    count.last = std::max(count.last, time);
    count.sample = line;
  }
  for (auto& [key, count] : counts) summary.requests.push_back(std::move(count));
  std::stable_sort(summary.requests.begin(), summary.requests.end(),
                   [](const RequestCount& a, const RequestCount& b) { return a.count > b.count; });
  return summary;
}

absl::StatusOr<std::vector<ErrorLine>> ReadErrorLog(const std::string& path, absl::Time since, size_t limit) {
  OMNIX_ASSIGN_OR_RETURN(const std::string tail, ReadFileTail(path, kMaxLogTailBytes));
  std::deque<ErrorLine> found;
  std::istringstream lines(tail);
  for (std::string line; std::getline(lines, line);) {
    ErrorLine entry;
    std::string when, error;
    if (re2::RE2::PartialMatch(line, NginxErrorLine(), &when, &entry.level)) {
      // nginx writes local time.
      absl::ParseTime("%Y/%m/%d %H:%M:%S", when, absl::LocalTimeZone(), &entry.time, &error);
      if (entry.time < since || entry.level == "notice" || entry.level == "info" || entry.level == "debug") continue;
    } else if (!re2::RE2::PartialMatch(line, SpeaksOfError())) {
      continue;
    }
    entry.text = std::move(line);
    found.push_back(std::move(entry));
    if (found.size() > limit) found.pop_front();
  }
  return std::vector<ErrorLine>(found.begin(), found.end());
}

}  // namespace omnix
