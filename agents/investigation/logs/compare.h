// Compares a log's lines in the window of an incident with those of normal time: what is new, what came much more
// often, what ceased, which error was the first.
//
// Lines are masked (mask.h) and clustered (templates.h). A stack trace is one entry with the line before it. Memory is
// bounded whatever the log holds: long lines are cut, binary ones counted, templates limited. Times without a zone are
// the machine's. Rates are compared as counts of a Poisson process: n lines where e were expected are unusual where
// (n - e) / sqrt(e + 1) is large and n is several times e.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace omnix {

enum class LogChangeKind { kNew, kMoreOften, kCeased };

struct LogChange {
  LogChangeKind kind = LogChangeKind::kNew;
  std::string text;
  bool error = false;
  uint64_t count = 0;
  // In a stretch of normal time as long as the window.
  double expected = 0;
  // Of the window; kCeased: the last one before it.
  absl::Time first = absl::InfiniteFuture();
  absl::Time last = absl::InfinitePast();
  // The first such entry of the window, with the beginning of its stack trace. Raw: redact it before it goes anywhere.
  std::string sample;
};

struct LogComparison {
  // Errors before the rest, new ones before those that came more often; each by its first time.
  std::vector<LogChange> changes;
  // Of the errors that are new or came more often.
  std::optional<LogChange> first_error;
  uint64_t bytes = 0;
  uint64_t entries = 0;
  uint64_t window_entries = 0;
  uint64_t binary_lines = 0;
  size_t templates = 0;
  // No line says when it was written: then nothing can be compared, and there are no changes.
  bool timed = false;
  // Normal time that was seen; zero: none, and only errors are given as changes.
  absl::Duration normal;
};

struct LogCompareOptions {
  // Lines before it are normal time, those behind `end` are left out.
  absl::Time begin;
  absl::Time end = absl::InfiniteFuture();
  absl::TimeZone zone = absl::LocalTimeZone();
  // Only so much of a file's end is read. 0: all.
  uint64_t max_bytes = 0;
  size_t max_changes = 50;
  // Without normal time all templates are given as new, not only errors.
  bool all_without_normal = false;
};

// Not thread-safe.
class LogComparer {
 public:
  explicit LogComparer(const LogCompareOptions& options);
  ~LogComparer();
  LogComparer(const LogComparer&) = delete;
  LogComparer& operator=(const LogComparer&) = delete;

  // One line without its end.
  void AddLine(std::string_view line);
  // The same where it is known otherwise when it was written: lines may come in any order of time.
  void AddLine(std::string_view line, absl::Time time);
  LogComparison Finish();

 private:
  class State;
  std::unique_ptr<State> state_;
};

// Reads the file in blocks. Regular files only. Errors: NOT_FOUND, PERMISSION_DENIED, FAILED_PRECONDITION, INTERNAL.
absl::StatusOr<LogComparison> CompareLogFile(const std::string& path, const LogCompareOptions& options);

// "new, 12 times since 07:14:03Z: connection to <ip> refused" for people and evidence; redacted.
std::string Describe(const LogChange& change);

}  // namespace omnix
