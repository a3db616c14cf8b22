#include "agents/investigation/users_requests.h"

#include <map>
#include <utility>

#include "agents/checks/http_tools.h"
#include "agents/investigation/logs/line_reader.h"
#include "agents/sources/access_format.h"

namespace omnix {
namespace {

constexpr absl::Duration kLately = absl::Minutes(15);
// Some thousand requests; more would hold up what waits for it.
constexpr uint64_t kMaxBytes = 1 << 20;
constexpr int kFirstErrorStatus = 400;

// Method and path -> the last answer.
using LastAnswers = std::map<std::pair<std::string, std::string>, int>;

LastAnswers ReadAnswers(const Case& input, const v1::LogFile& log, const NginxFacts* nginx) {
  const AccessFormat format =
      nginx == nullptr || !nginx->config ? AccessFormat() : FormatOfLog(*nginx->config, log.path());
  LastAnswers answers;
  // What cannot be read teaches nothing; the probe of access logs says why.
  ReadLines(log.path(), kMaxBytes, [&](std::string_view line) {
    const auto record = format.Read(line);
    if (!record || IsSafeMethod(record->method) || record->time < input.now - kLately) return;
    answers[{record->method, record->path}] = record->status;
  }).IgnoreError();
  return answers;
}

}  // namespace

void LearnFromUsers(Scene* scene) {
  for (const v1::Service& service : scene->input.system.services()) {
    if (service.base_url().empty()) continue;
    std::string base = service.base_url();
    while (base.ends_with('/')) base.pop_back();
    for (const v1::LogFile& log : service.logs()) {
      if (log.kind() != "access") continue;
      for (const auto& [request, status] : ReadAnswers(scene->input, log, scene->NginxOf(&service))) {
        if (status < kFirstErrorStatus) scene->http.Learn(request.first, base + request.second, status);
      }
    }
  }
}

}  // namespace omnix
