#include "agents/investigation/probe_service_logs.h"

#include <re2/re2.h>
#include <sys/stat.h>

#include <algorithm>

#include "absl/strings/str_split.h"
#include "agents/investigation/logs/line_time.h"
#include "agents/investigation/probe.h"
#include "common/file.h"
#include "common/status.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr size_t kTailBytes = 256 << 10;
// Time zones differ by multiples of it.
constexpr absl::Duration kZoneStep = absl::Minutes(15);
constexpr size_t kShownAround = 6;

// The difference without what a time zone may be responsible for: nothing where it is larger than any zone.
std::optional<absl::Duration> WithoutZone(absl::Duration difference) {
  constexpr absl::Duration kWidestZone = absl::Hours(14);
  if (difference > kWidestZone || difference < -kWidestZone) return difference;
  if (absl::AbsDuration(difference) < kZoneStep / 2) return difference;
  return std::nullopt;
}

void ReadOne(Scene* scene, const v1::Service& service, const v1::Instance* instance, const v1::LogFile& log) {
  if (log.kind() == "access") return;
  const auto text = ReadFileTail(log.path(), kTailBytes);
  struct stat info {};
  if (!text.ok() || stat(log.path().c_str(), &info) != 0) {
    scene->book.Add(MakeEvidence("service_log", service.name(), "not read: " + Message(text.status())));
    return;
  }
  const absl::Time begin = LogWindowBegin(scene->input);
  const absl::Time written = absl::FromUnixSeconds(info.st_mtime);
  ServiceLogFacts facts{&service, instance, {log.path(), ""}, {}, std::nullopt};
  LineTimeReader times(absl::LocalTimeZone(), scene->input.now);
  bool dated = false, recent = false;
  absl::Time last;
  std::vector<std::string> undated;
  const std::vector<std::string> lines = absl::StrSplit(*text, '\n', absl::SkipEmpty());
  for (const std::string& line : lines) {
    if (const auto time = times.Read(line)) {
      dated = true;
      last = absl::FromUnixSeconds(time->seconds);
      recent = last >= begin;
    }
    if (dated && recent) facts.lines.push_back(line.substr(0, kMaxRecentLineBytes));
    if (!dated) undated.push_back(line.substr(0, kMaxRecentLineBytes));
  }
  // Nothing in it tells the time: the file's own is all there is.
  if (!dated && written >= begin) facts.lines = std::move(undated);
  KeepRecentLines(&facts.lines);
  if (dated) facts.clock_offset = WithoutZone(last - written);
  scene->facts.Add(std::move(facts));
}

}  // namespace

void KeepRecentLines(std::vector<std::string>* lines) {
  if (lines->size() <= kMaxRecentLines) return;
  lines->erase(lines->begin(), lines->end() - static_cast<std::ptrdiff_t>(kMaxRecentLines));
}

void ProbeServiceLogs(Scene* scene) {
  for (const v1::Service& service : scene->input.system.services()) {
    for (const v1::LogFile& log : service.logs()) ReadOne(scene, service, nullptr, log);
    for (const v1::Instance& instance : service.instances()) {
      for (const v1::LogFile& log : instance.logs()) ReadOne(scene, service, &instance, log);
    }
  }
}

std::vector<const ServiceLogFacts*> LogsOf(const Scene& scene, const v1::Service& service,
                                           const v1::Instance* instance) {
  std::vector<const ServiceLogFacts*> found;
  for (const ServiceLogFacts* log : scene.facts.All<ServiceLogFacts>()) {
    if (log->service == &service && (instance == nullptr || log->instance == instance)) found.push_back(log);
  }
  return found;
}

bool TellsOfFailure(const std::string& line) {
  static const RE2 kLevel(
      R"(\b(ERROR|FATAL|CRITICAL|PANIC|EMERG|ALERT|Fatal|Error|panic|fatal|error)\b|\[(error|crit|alert|emerg)\])");
  static const RE2 kException(R"(^(\w+\.)*[A-Z]\w*(Error|Exception|Failure|Warning|Exit|Interrupt)\b)");
  // pino and bunyan count levels in tens; glog and Ruby's Logger begin with the level's letter.
  static const RE2 kByNumberOrLetter(R"re("level":\s*"?(?:50|60)\b|^[EF]\d{4} \d\d:\d\d:\d\d|^[EF], \[)re");
  static const RE2 kWarning(R"(\b(WARN|WARNING|INFO|DEBUG|TRACE|NOTICE)\b)");
  return RE2::PartialMatch(line, kException) || RE2::PartialMatch(line, kByNumberOrLetter) ||
         (RE2::PartialMatch(line, kLevel) && !RE2::PartialMatch(line, kWarning));
}

std::string LastFailure(const ServiceLogFacts& log) {
  for (auto line = log.lines.rbegin(); line != log.lines.rend(); ++line) {
    if (TellsOfFailure(*line)) return *line;
  }
  return "";
}

std::string AddLogEvidence(Scene* scene, const ServiceLogFacts& log, const std::string& line) {
  const auto at = std::find(log.lines.rbegin(), log.lines.rend(), line);
  std::string excerpt;
  if (at != log.lines.rend()) {
    const size_t index = static_cast<size_t>(log.lines.rend() - at) - 1;
    for (size_t i = index < kShownAround ? 0 : index - kShownAround; i < std::min(log.lines.size(), index + 2); ++i)
      excerpt += log.lines[i] + "\n";
  }
  return scene->book.Add(MakeLogEvidence("service_log", log.service->name(), log.log, line, excerpt));
}

}  // namespace omnix
