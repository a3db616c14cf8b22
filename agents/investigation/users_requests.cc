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

// Method and path -> when it was answered last, and how.
using LastAnswers = std::map<std::pair<std::string, std::string>, std::pair<absl::Time, int>>;

void ReadAnswers(const Case& input, const v1::LogFile& log, const NginxFacts* nginx, LastAnswers* answers) {
  const AccessFormat format =
      nginx == nullptr || !nginx->config ? AccessFormat() : FormatOfLog(*nginx->config, log.path());
  // What cannot be read teaches nothing; the probe of access logs says why.
  ReadLines(log.path(), kMaxBytes, [&](std::string_view line) {
    const auto record = format.Read(line);
    if (!record || IsSafeMethod(record->method) || record->time < input.now - kLately) return;
    auto& last = answers->try_emplace({record->method, record->path}, absl::InfinitePast(), 0).first->second;
    if (record->time >= last.first) last = {record->time, record->status};
  }).IgnoreError();
}

}  // namespace

void LearnFromUsers(Scene* scene) {
  for (const v1::Service& service : scene->input.system.services()) {
    if (service.base_url().empty()) continue;
    std::string base = service.base_url();
    while (base.ends_with('/')) base.pop_back();
    LastAnswers answers;
    for (const v1::LogFile& log : service.logs()) {
      if (log.kind() == "access") ReadAnswers(scene->input, log, scene->NginxOf(&service), &answers);
    }
    for (const auto& [request, last] : answers) {
      if (last.second < kFirstErrorStatus) scene->http.Learn(request.first, base + request.second, last.second);
    }
  }
}

}  // namespace omnix
