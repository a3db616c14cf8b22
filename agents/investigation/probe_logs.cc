// What access and error logs say of the time of the trouble: failed requests, and the last errors.
#include "agents/investigation/probe.h"
#include "agents/sources/access_log.h"
#include "common/time.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr absl::Duration kLogWindow = absl::Hours(2);

}  // namespace

void ProbeLogs(Scene* scene) {
  constexpr int kFirstErrorStatus = 400;
  constexpr size_t kShown = 5;
  const absl::Time since = scene->input.now - kLogWindow;
  for (const v1::Service& service : scene->input.system.services()) {
    for (const v1::LogFile& log : service.logs()) {
      v1::Location location;
      location.set_file(log.path());
      if (log.kind() == "access") {
        const auto summary = ReadAccessLog(log.path(), since);
        if (!summary.ok()) continue;
        size_t shown = 0;
        for (const RequestCount& count : summary->requests) {
          if (count.status < kFirstErrorStatus || ++shown > kShown) continue;
          scene->book.Add(
              MakeEvidence("access_log", service.name(),
                           fmt::format("{} {}: {} times {} from {} to {}", count.method, count.path, count.count,
                                       count.status, omnix::FormatTime(count.first), omnix::FormatTime(count.last)),
                           count.sample, location, {{"path", count.path}, {"status", std::to_string(count.status)}}));
        }
      } else if (log.kind() == "error") {
        const auto lines = ReadErrorLog(log.path(), since, kShown);
        if (!lines.ok() || lines->empty()) continue;
        std::string excerpt;
        for (const ErrorLine& line : *lines) excerpt += line.text + "\n";
        scene->book.Add(MakeEvidence("error_log", service.name(), lines->back().text, excerpt, location));
      }
    }
  }
}

}  // namespace omnix
