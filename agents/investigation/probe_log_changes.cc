#include "agents/investigation/probe_log_changes.h"

#include <algorithm>

#include "agents/investigation/log_signs.h"
#include "common/status.h"
#include "common/time.h"
#include "fmt/format.h"

namespace omnix {
namespace {

// About half a second of reading a log.
constexpr uint64_t kMaxBytes = 48 << 20;
// Of a log, so many changes that name no fault are evidence.
constexpr size_t kMaxEvidence = 5;
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

std::string AddChange(Scene* scene, const v1::Service& service, const LogSource& log, const LogChange& change) {
  return scene->book.Add(MakeLogEvidence(kLogChanges, service.name(), log, Describe(change), change.sample,
                                         {{"change", WordOf(change.kind)},
                                          {"error", change.error ? "true" : "false"},
                                          {"count", std::to_string(change.count)},
                                          {"since", omnix::FormatTime(change.first)},
                                          {"template", change.text}}));
}

void Compare(Scene* scene, const v1::Service& service, const v1::LogFile& log, const LogCompareOptions& options) {
  const auto comparison = CompareLogFile(log.path(), options);
  if (!comparison.ok()) {
    scene->book.Add(MakeEvidence(kLogChanges, service.name(), "not read: " + Message(comparison.status())));
    return;
  }
  AddLogChanges(scene, service, {log.path(), ""}, *comparison,
                log.kind() == "access" ? LogContent::kRequests : LogContent::kMessages);
}

}  // namespace

void AddLogChanges(Scene* scene, const v1::Service& service, const LogSource& log, const LogComparison& comparison,
                   LogContent content) {
  size_t shown = 0;
  for (const LogChange& change : comparison.changes) {
    LogSign sign{nullptr, &service, log.Name(), "", change.sample, change.count, change.first, ""};
    if (change.kind != LogChangeKind::kCeased && content == LogContent::kMessages)
      sign.shape = FindSign(change.sample, &sign.what);
    const bool says_nothing = comparison.normal == absl::ZeroDuration() && !change.error;
    if (sign.shape == nullptr && (shown >= kMaxEvidence || says_nothing)) continue;
    ++shown;
    sign.evidence = AddChange(scene, service, log, change);
    if (sign.shape != nullptr) scene->facts.Add(std::move(sign));
  }
}

void ProbeLogChanges(Scene* scene) {
  const Case& input = scene->input;
  LogCompareOptions options;
  options.begin = LogWindowBegin(input);
  options.end = input.now;
  options.max_bytes = kMaxBytes;
  options.max_changes = kMaxLogChanges;
  options.all_without_normal = true;
  const auto compare = [&](const v1::Service& service, const v1::LogFile& log) {
    if (!input.cancelled() && input.remaining() >= kLeastRemaining) Compare(scene, service, log, options);
  };
  for (const v1::Service& service : input.system.services()) {
    for (const v1::LogFile& log : service.logs()) compare(service, log);
    for (const v1::Instance& instance : service.instances()) {
      for (const v1::LogFile& log : instance.logs()) compare(service, log);
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
