#include "agents/investigation/probe_access.h"

#include <algorithm>
#include <cmath>

#include "agents/investigation/logs/line_reader.h"
#include "agents/investigation/probe.h"
#include "agents/sources/access_format.h"
#include "common/status.h"
#include "common/time.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr absl::Duration kBeforeAlert = absl::Minutes(5);
constexpr absl::Duration kLeastWindow = absl::Minutes(15);
constexpr uint64_t kMaxBytes = 16 << 20;
constexpr int kFirstError = 400;
constexpr int kFirstServerError = 500;
constexpr absl::Duration kFirstStep = absl::Milliseconds(1);
constexpr double kStep = 1.2;

absl::Duration EndOfStep(int step) { return kFirstStep * std::pow(kStep, step); }

void Count(const AccessRecord& record, RequestCounts* counts) {
  ++counts->requests;
  ++counts->statuses[record.status];
  counts->first = std::min(counts->first, record.time);
  counts->last = std::max(counts->last, record.time);
  const auto& took = record.duration ? record.duration : record.upstream_duration;
  if (!took) return;
  counts->durations.Add(*took);
  if (record.status < kFirstServerError) counts->served.Add(record.upstream_duration.value_or(*took));
}

void Note(const AccessRecord& record, absl::Time begin, AccessFacts* facts) {
  const bool during = record.time >= begin;
  std::vector<PathCounts*> kept = {&facts->all};
  const std::string key = record.method + " " + record.path;
  const auto known = facts->paths.find(key);
  if (known != facts->paths.end()) {
    kept.push_back(&known->second);
  } else if (facts->paths.size() < kMaxAccessPaths) {
    kept.push_back(&facts->paths[key]);
  }
  for (PathCounts* counts : kept) {
    Count(record, during ? &counts->during : &counts->before);
    counts->failed_in_a_row = record.status < kFirstError ? 0 : counts->failed_in_a_row + 1;
    counts->last_status = record.status;
    // A slow line of a client's is none of ours.
    const auto& took = record.upstream_duration ? record.upstream_duration : record.duration;
    counts->late_in_a_row = took && *took >= kLateAnswer ? counts->late_in_a_row + 1 : 0;
    if (during && IsFailure(record.status)) counts->last_failure = std::max(counts->last_failure, record.time);
  }
  std::map<int64_t, uint32_t>& minutes = during ? facts->minutes_during : facts->minutes_before;
  const int64_t minute = absl::ToUnixSeconds(record.time) / 60;
  if (minutes.contains(minute) || minutes.size() < kMaxAccessMinutes) ++minutes[minute];
  if (!during || !IsFailure(record.status) || record.time >= facts->first_failure_time) return;
  facts->first_failure_time = record.time;
  facts->first_failure =
      fmt::format("{} {}{}", record.status, key, record.client.empty() ? "" : " of " + record.client);
}

std::string Shares(const RequestCounts& counts) {
  std::map<int, uint64_t> classes;
  for (const auto& [status, count] : counts.statuses) classes[status / 100] += count;
  std::string text;
  for (const auto& [hundreds, count] : classes) {
    const double share = 100.0 * static_cast<double>(count) / static_cast<double>(counts.requests);
    text += fmt::format("{}{}xx {:.1f} %", text.empty() ? "" : ", ", hundreds, share);
  }
  return text;
}

std::string Describe(const RequestCounts& counts) {
  if (counts.requests == 0) return "no requests";
  constexpr double kMost = 0.95;
  std::string text = fmt::format("{} requests, {:.2f}/s ({})", counts.requests, counts.Rate(), Shares(counts));
  if (counts.durations.count() > 0)
    text += fmt::format(", 95 % within {}",
                        absl::FormatDuration(absl::Trunc(counts.durations.Quantile(kMost), absl::Milliseconds(1))));
  return text;
}

void ReadOne(Scene* scene, const v1::Service& service, const v1::LogFile& log, const NginxFacts* nginx) {
  const Case& input = scene->input;
  const absl::Time begin = std::min(input.started_at - kBeforeAlert, input.now - kLeastWindow);
  const AccessFormat format = nginx == nullptr ? AccessFormat() : FormatOfLog(*nginx->config, log.path());
  AccessFacts facts;
  facts.service = &service;
  facts.log = &log;
  const auto read = ReadLines(log.path(), kMaxBytes, [&](std::string_view line) {
    if (const auto record = format.Read(line)) Note(*record, begin, &facts);
  });
  v1::Location location;
  location.set_file(log.path());
  if (!read.ok()) {
    scene->book.Add(MakeEvidence("access_log", service.name(), "not read: " + Message(read.status()), "", location));
    return;
  }
  if (facts.all.before.requests + facts.all.during.requests == 0) return;
  std::string summary = fmt::format("since {}: {}; before: {}", omnix::FormatTime(begin), Describe(facts.all.during),
                                    Describe(facts.all.before));
  if (!facts.first_failure.empty())
    summary +=
        fmt::format("; first failure {} at {}", facts.first_failure, omnix::FormatTime(facts.first_failure_time));
  facts.evidence = scene->book.Add(MakeEvidence("access_log", service.name(), summary, "", location));
  scene->facts.Add(std::move(facts));
}

}  // namespace

void DurationCounts::Add(absl::Duration duration) {
  const double ratio = std::max(1.0, absl::FDivDuration(duration, kFirstStep));
  const int step = std::min(kSteps - 1, static_cast<int>(std::ceil(std::log(ratio) / std::log(kStep))));
  ++steps_[static_cast<size_t>(step)];
  ++count_;
}

absl::Duration DurationCounts::Quantile(double share) const {
  const auto wanted = static_cast<uint64_t>(std::ceil(share * static_cast<double>(count_)));
  uint64_t seen = 0;
  for (int step = 0; step < kSteps && count_ > 0; ++step) {
    seen += steps_[static_cast<size_t>(step)];
    if (seen >= wanted) return EndOfStep(step);
  }
  return absl::ZeroDuration();
}

double DurationCounts::ShareWithin(absl::Duration limit) const {
  uint64_t within = 0;
  for (int step = 0; step < kSteps && EndOfStep(step) <= limit; ++step) within += steps_[static_cast<size_t>(step)];
  return count_ == 0 ? 0 : static_cast<double>(within) / static_cast<double>(count_);
}

uint64_t RequestCounts::With(int status) const {
  const auto found = statuses.find(status);
  return found == statuses.end() ? 0 : found->second;
}

double RequestCounts::Rate() const {
  constexpr absl::Duration kLeast = absl::Seconds(1);
  return requests == 0 ? 0 : static_cast<double>(requests) / absl::ToDoubleSeconds(std::max(kLeast, last - first));
}

std::optional<uint32_t> AccessFacts::UsualPerMinute() const {
  constexpr double kShare = 0.95;
  if (minutes_before.empty()) return std::nullopt;
  std::vector<uint32_t> counts;
  for (const auto& [minute, count] : minutes_before) counts.push_back(count);
  const auto at = static_cast<ptrdiff_t>(kShare * static_cast<double>(counts.size() - 1));
  std::nth_element(counts.begin(), counts.begin() + at, counts.end());
  return counts[static_cast<size_t>(at)];
}

uint32_t AccessFacts::PeakPerMinute() const {
  uint32_t peak = 0;
  for (const auto& [minute, count] : minutes_during) peak = std::max(peak, count);
  return peak;
}

bool IsFailure(int status) {
  constexpr int kTooLarge = 413, kTooMany = 429;
  return status >= kFirstServerError || status == kTooLarge || status == kTooMany;
}

void ProbeAccess(Scene* scene) {
  for (const v1::Service& service : scene->input.system.services()) {
    for (const v1::LogFile& log : service.logs()) {
      if (log.kind() == "access" && !scene->input.cancelled()) ReadOne(scene, service, log, scene->NginxOf(&service));
    }
  }
}

std::vector<const AccessFacts*> AccessOf(const Scene& scene, const v1::Service& service) {
  std::vector<const AccessFacts*> found;
  for (const AccessFacts* facts : scene.facts.All<AccessFacts>()) {
    if (facts->service == &service) found.push_back(facts);
  }
  return found;
}

const PathCounts* AccessOfPath(const Scene& scene, const v1::Service& service, const std::string& method,
                               const std::string& path) {
  for (const AccessFacts* facts : AccessOf(scene, service)) {
    const auto found = facts->paths.find(method + " " + path);
    if (found != facts->paths.end()) return &found->second;
  }
  return nullptr;
}

}  // namespace omnix
