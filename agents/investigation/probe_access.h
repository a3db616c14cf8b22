// What the access logs say of users' requests in the time of the trouble, beside the time before: how many, how they
// were answered, how long they took, by path; and who met the first failure.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agents/investigation/scene.h"

namespace omnix {

// Of durations, in steps of 20 %: quantiles are right to that much, in fixed memory.
class DurationCounts {
 public:
  void Add(absl::Duration duration);
  uint64_t count() const { return count_; }
  // The upper end of the step that holds it; zero where nothing was added.
  absl::Duration Quantile(double share) const;
  // The share of those not longer than `limit`, 0 to 1.
  double ShareWithin(absl::Duration limit) const;

 private:
  static constexpr int kSteps = 80;
  std::array<uint32_t, kSteps> steps_{};
  uint64_t count_ = 0;
};

struct RequestCounts {
  uint64_t requests = 0;
  std::map<int, uint64_t> statuses;
  // Of the whole request; of the upstream alone where the log tells no other.
  DurationCounts durations;
  // Of requests that an upstream answered with less than 500.
  DurationCounts served;
  absl::Time first = absl::InfiniteFuture();
  absl::Time last = absl::InfinitePast();

  uint64_t With(int status) const;
  // Requests a second; 0 where there were none.
  double Rate() const;
};

inline constexpr absl::Duration kLateAnswer = absl::Seconds(1);

struct PathCounts {
  RequestCounts before;
  RequestCounts during;
  // Of the last failed one (5xx, 413, 429) of the window.
  absl::Time last_failure = absl::InfinitePast();
  // Answers of 400 and more since the last other one, up to the end of the log, and the status of the last.
  uint64_t failed_in_a_row = 0;
  // Answers that took kLateAnswer or more, the same way.
  uint64_t late_in_a_row = 0;
  int last_status = 0;
};

struct AccessFacts {
  const v1::Service* service = nullptr;
  const v1::LogFile* log = nullptr;
  PathCounts all;
  // "GET /v1/products": method and path as they were asked, at most kMaxAccessPaths.
  std::map<std::string, PathCounts> paths;
  // Of the window: the first answer of 500 and more, 413 or 429 ("502 GET /v1/products of 10.0.0.7"); empty: none.
  std::string first_failure;
  absl::Time first_failure_time = absl::InfiniteFuture();
  // Requests by minute (UNIX time / 60), at most kMaxAccessMinutes of each; minutes without any are not in it.
  std::map<int64_t, uint32_t> minutes_before;
  std::map<int64_t, uint32_t> minutes_during;
  std::string evidence;

  // What nineteen of twenty minutes before did not exceed; unset where there were none.
  std::optional<uint32_t> UsualPerMinute() const;
  // The busiest minute of the window; 0: none.
  uint32_t PeakPerMinute() const;
};

inline constexpr size_t kMaxAccessMinutes = 5000;
inline constexpr size_t kMaxAccessPaths = 2000;

// Whether an answer means that a user did not get what a well system gives.
bool IsFailure(int status);

// One AccessFacts for each log of kind "access" that has lines of a known format.
void ProbeAccess(Scene* scene);

std::vector<const AccessFacts*> AccessOf(const Scene& scene, const v1::Service& service);

// Null where the log knows nothing of it.
const PathCounts* AccessOfPath(const Scene& scene, const v1::Service& service, const std::string& method,
                               const std::string& path);

}  // namespace omnix
