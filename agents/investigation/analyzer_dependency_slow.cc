// dependency.slow: time is spent in something that the service needs: asked straight it is as late, while what it needs
// itself is quick. It is asked for its endpoints, and for what its own log says that it served late. The component is
// the deepest one that is slow by itself.
#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "absl/strings/match.h"
#include "agents/checks/url.h"
#include "agents/investigation/analyzer.h"
#include "agents/investigation/probe_service_logs.h"
#include "agents/investigation/symptoms_of.h"
#include "common/time.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr absl::Duration kSlow = absl::Seconds(1);
constexpr double kShown = 0.88;
// Late on every path: it may hang as well.
constexpr double kNoAnswer = 0.5;
constexpr size_t kMaxAsked = 4;
constexpr int kFirstServerError = 500;

struct Pace {
  absl::Duration slowest;
  std::string path, evidence;
  bool timed_out = false;
  bool answered = false;
  bool Slow() const { return slowest >= kSlow || timed_out; }
};

// Of a request that was served with GET, by a line of a log: `"GET /tests HTTP/1.1" 200 3501ms`, or keys and values
// (`verb="GET" URI="/price" latency="3503.5ms"`, `"url":"/quote","responseTime":3503`); unset where it is none.
std::optional<std::pair<std::string, absl::Duration>> LoggedRequest(const std::string& line) {
  static const RE2 kPlain(R"re(\bGET (/[^\s"'?]*)[^\n]*?\s(\d+(?:\.\d+)?) ?(ms|s|sec|seconds)\b)re");
  static const RE2 kMethod(R"re((?i)\b(?:method|verb)["']?\s*[:=]\s*["']?(\w+))re");
  static const RE2 kPath(R"re((?i)\b(?:uri|url|path|request_uri|target)["']?\s*[:=]\s*["']?(/[^\s"'?,}]*))re");
  static const RE2 kTook(
      R"re((?i)\b(?:latency|duration|dur|took|elapsed|response_?time|request_?time)(_?ms)?["']?\s*[:=]\s*["']?(\d+(?:\.\d+)?)\s?(ms|s|sec|seconds)?\b)re");
  std::string path, unit, in_name, method;
  double number = 0;
  if (!RE2::PartialMatch(line, kPlain, &path, &number, &unit)) {
    if (RE2::PartialMatch(line, kMethod, &method) && !absl::EqualsIgnoreCase(method, "GET")) return std::nullopt;
    if (!RE2::PartialMatch(line, kPath, &path) || !RE2::PartialMatch(line, kTook, &in_name, &number, &unit))
      return std::nullopt;
    // Without a unit: whole numbers are milliseconds, as a rule, and fractions seconds.
    const bool fraction = number != std::floor(number);
    if (unit.empty()) unit = !in_name.empty() || !fraction ? "ms" : "s";
  }
  return std::pair(path, unit == "ms" ? absl::Milliseconds(number) : absl::Seconds(number));
}

// Paths that a service served late, as its own log has them, the latest first.
std::vector<std::string> LatePathsOf(const Scene& scene, const v1::Service& service) {
  constexpr size_t kMaxLate = 2;
  std::vector<std::string> paths;
  for (const ServiceLogFacts* log : LogsOf(scene, service)) {
    for (auto line = log->lines.rbegin(); line != log->lines.rend() && paths.size() < kMaxLate; ++line) {
      const auto request = LoggedRequest(*line);
      if (!request || request->second < kSlow) continue;
      if (std::find(paths.begin(), paths.end(), request->first) == paths.end()) paths.push_back(request->first);
    }
  }
  return paths;
}

std::vector<Prober::Question> QuestionsTo(const Scene& scene, const v1::Service& service) {
  if (service.base_url().empty()) return {};
  std::vector<std::string> paths = LatePathsOf(scene, service);
  for (const v1::Endpoint& endpoint : service.endpoints()) {
    const bool reads = endpoint.method().empty() || endpoint.method() == "GET";
    const bool plain = endpoint.path().find('{') == std::string::npos && !endpoint.websocket();
    if (reads && plain && paths.size() < kMaxAsked) paths.push_back(endpoint.path());
  }
  if (paths.empty()) paths.push_back("/");
  std::vector<Prober::Question> questions;
  for (const std::string& path : paths)
    questions.push_back({service.name(), JoinUrl(service.base_url(), path), "", false});
  return questions;
}

Pace PaceOf(Scene* scene, const std::vector<Prober::Question>& questions) {
  Pace pace;
  for (const Prober::Question& question : questions) {
    const Answer& answer = scene->prober.Ask(question);
    pace.answered |= answer.status > 0;
    // It fails, and waited for something before: that is another fault than taking long.
    if (answer.status >= kFirstServerError) continue;
    if (!answer.timed_out && answer.duration <= pace.slowest) continue;
    pace.timed_out |= answer.timed_out;
    pace.slowest = answer.timed_out ? std::max(pace.slowest, kSlow) : answer.duration;
    pace.path = PathOf(question.url);
    pace.evidence = answer.evidence;
  }
  return pace;
}

// Whether something that needs it is late or gives up on it.
bool HasLateCaller(const Scene& scene, const v1::Service& service) {
  return std::any_of(scene.symptom_results.begin(), scene.symptom_results.end(), [&](const auto& entry) {
    const v1::CheckResult& result = entry.second;
    const std::string error = AttributeOf(result, "error");
    const bool late = error == "slow" || error == "timeout" || StatusOf(result) == 504 || StatusOf(result) == 503 ||
                      StatusOf(result) == 502;
    return late && Needs(scene.input.system, result.service(), service.name());
  });
}

}  // namespace

void AnalyzeDependencySlow(Scene* scene, std::vector<Candidate>* candidates) {
  std::map<std::string, std::vector<Prober::Question>> asked;
  std::vector<Prober::Question> questions;
  for (const v1::Service& service : scene->input.system.services()) {
    if (!HasLateCaller(*scene, service)) continue;
    asked[service.name()] = QuestionsTo(*scene, service);
    questions.insert(questions.end(), asked[service.name()].begin(), asked[service.name()].end());
  }
  // All at once: those that are late cost the time of one.
  scene->prober.AskAll(questions);
  std::map<std::string, Pace> paces;
  for (const auto& [name, own] : asked) paces[name] = PaceOf(scene, own);
  for (const v1::Service& service : scene->input.system.services()) {
    const auto own = paces.find(service.name());
    if (own == paces.end() || !own->second.Slow()) continue;
    const auto& needs = service.depends_on();
    const bool deeper = std::any_of(needs.begin(), needs.end(), [&](const std::string& name) {
      return paces.contains(name) && paces.at(name).Slow();
    });
    if (deeper) continue;
    const Pace& pace = own->second;
    v1::Hypothesis h;
    h.set_kind("dependency.slow");
    h.set_component(service.name());
    const std::string how = pace.timed_out ? "gives no answer in time" : "takes " + omnix::FormatDuration(pace.slowest);
    h.set_title(fmt::format("{} is slow: {} {} when asked straight", service.name(), pace.path, how));
    h.set_explanation(fmt::format("What calls {} is late because {} itself {} on {}; what it needs is quick.",
                                  service.name(), service.name(), how, pace.path));
    if (!pace.evidence.empty()) h.add_evidence_for(pace.evidence);
    for (const std::string& id : SymptomsBehind(*scene, service)) h.add_symptom_ids(id);
    v1::Counterfactual* test = h.add_tests();
    test->set_description(fmt::format("{} asked straight, past its callers, is as late", service.name()));
    test->set_agrees(true);
    if (!pace.evidence.empty()) test->add_evidence_ids(pace.evidence);
    h.set_confidence(pace.answered ? kShown : kNoAnswer);
    h.set_status(v1::HYPOTHESIS_STATUS_SUPPORTED);
    candidates->push_back({std::move(h), {}});
  }
}

}  // namespace omnix
