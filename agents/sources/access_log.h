// Access and error logs: what was asked and answered lately. Reads the tail of a file only; memory is bounded.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace omnix {

inline constexpr size_t kMaxLogTailBytes = 4 << 20;
inline constexpr size_t kMaxLogKeys = 5000;

struct RequestCount {
  std::string method;
  // Without the query.
  std::string path;
  int status = 0;
  uint64_t count = 0;
  absl::Time first = absl::InfiniteFuture();
  absl::Time last = absl::InfinitePast();
  // The last such line, as it stands.
  std::string sample;
};

struct AccessSummary {
  // Most frequent first.
  std::vector<RequestCount> requests;
  uint64_t lines = 0;
  // Lines that no known format fits.
  uint64_t unread = 0;
};

// Common and combined format and what adds to them ('... "GET /x HTTP/1.1" 404 ...' with a [time] in brackets, CLF or
// ISO 8601). Lines before `since` are left out.
absl::StatusOr<AccessSummary> ReadAccessLog(const std::string& path, absl::Time since);

struct ErrorLine {
  absl::Time time = absl::InfinitePast();
  // "emerg", "error", "warn"...; empty where the line doesn't say.
  std::string level;
  std::string text;
};

// nginx error logs ("2025/09/04 07:14:03 [error] ...") and others (lines that speak of an error, their time unknown),
// newest last, at most `limit`.
absl::StatusOr<std::vector<ErrorLine>> ReadErrorLog(const std::string& path, absl::Time since, size_t limit = 200);

}  // namespace omnix
