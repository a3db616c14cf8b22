#include "agents/investigation/observe_logs.h"

#include <algorithm>

#include "agents/investigation/logs/compare.h"
#include "common/status.h"
#include "common/time.h"
#include "fmt/format.h"

namespace omnix {
namespace {

// An alert fires a while after the first error.
constexpr absl::Duration kBeforeAlert = absl::Minutes(5);
// Investigated without an alert: so much of the past is "now".
constexpr absl::Duration kLeastWindow = absl::Minutes(15);
// About half a second of reading a log.
constexpr uint64_t kMaxBytes = 48 << 20;
constexpr size_t kMaxChanges = 5;
constexpr absl::Duration kLeastRemaining = absl::Seconds(20);

const char* WordOf(LogChangeKind kind) {
  switch (kind) {
    case LogChangeKind::kNew:
      return "new";
    case LogChangeKind::kMoreOften:
      return "more_often";
    case LogChangeKind::kCeased:
      return "ceased";
  }
  return "";
}

void AddChange(Scene* scene, const v1::Service& service, const std::string& path, const LogChange& change) {
  v1::Location location;
  location.set_file(path);
  scene->book.Add(MakeEvidence(kLogChanges, service.name(), Describe(change), change.sample, location,
                               {{"change", WordOf(change.kind)},
                                {"error", change.error ? "true" : "false"},
                                {"count", std::to_string(change.count)},
                                {"since", omnix::FormatTime(change.first)},
                                {"template", change.text}}));
}

}  // namespace

void ReadLogChanges(Scene* scene) {
  const Case& input = scene->input;
  LogCompareOptions options;
  options.begin = std::min(input.started_at - kBeforeAlert, input.now - kLeastWindow);
  options.end = input.now;
  options.max_bytes = kMaxBytes;
  options.max_changes = kMaxChanges;
  for (const v1::Service& service : input.system.services()) {
    for (const v1::LogFile& log : service.logs()) {
      if (input.cancelled() || input.remaining() < kLeastRemaining) return;
      const auto comparison = CompareLogFile(log.path(), options);
      if (!comparison.ok()) {
        scene->book.Add(MakeEvidence(kLogChanges, service.name(), "not read: " + Message(comparison.status())));
        continue;
      }
      for (const LogChange& change : comparison->changes) AddChange(scene, service, log.path(), change);
    }
  }
}

std::string FirstLoggedError(const Scene& scene, const std::string& service) {
  const v1::Evidence* first = nullptr;
  const auto since = [](const v1::Evidence& evidence) { return evidence.attributes().at("since"); };
  for (const v1::Evidence& evidence : scene.book.all()) {
    const auto error = evidence.attributes().find("error");
    if (evidence.source() != kLogChanges || evidence.component() != service || error == evidence.attributes().end() ||
        error->second != "true" || evidence.attributes().at("change") == "ceased")
      continue;
    // RFC 3339 in UTC: the order of the text is that of time.
    if (first == nullptr || since(evidence) < since(*first)) first = &evidence;
  }
  return first == nullptr ? "" : first->summary();
}

}  // namespace omnix
