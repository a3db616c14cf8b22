// What only users met: failures that the access log counts since the trouble began and hardly before, of which no check
// of ours saw one (they come now and then, or to other methods, bodies and rates than ours), become symptoms. And
// load.overload: many more requests than usual, and answers that take longer.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "agents/investigation/analyzer.h"
#include "agents/investigation/probe_access.h"
#include "agents/investigation/symptoms_of.h"
#include "common/time.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr int kFirstError = 400;
constexpr uint64_t kLeastBefore = 50;
constexpr uint64_t kLeastFailures = 5;
// Standard deviations of a count.
constexpr double kUnusual = 5;
constexpr double kTimesUsual = 3;
// The last failure was so near to the last request: it still goes on.
constexpr absl::Duration kStillGoing = absl::Minutes(2);

constexpr double kJump = 2;
constexpr double kSlower = 2;
constexpr size_t kLeastMinutes = 10;
constexpr double kOverload = 0.66;

bool Rose(const RequestCounts& before, uint64_t failures_before, uint64_t requests, uint64_t failures) {
  if (before.requests < kLeastBefore || failures < kLeastFailures) return false;
  const double expected =
      static_cast<double>(failures_before) / static_cast<double>(before.requests) * static_cast<double>(requests);
  const auto count = static_cast<double>(failures);
  return count >= kTimesUsual * expected && (count - expected) / std::sqrt(expected + 1) >= kUnusual;
}

bool GoesOn(const PathCounts& counts) { return counts.during.last - counts.last_failure <= kStillGoing; }

class AccessJudge {
 public:
  AccessJudge(Scene* scene, const AccessFacts& facts) : scene_(*scene), facts_(facts) {}

  void AddSymptoms() {
    for (const auto& [status, count] : facts_.all.during.statuses) {
      if (!IsFailure(status) || !GoesOn(facts_.all) || IsKnown(status)) continue;
      if (Rose(facts_.all.before, facts_.all.before.With(status), facts_.all.during.requests, count))
        Add(MostAskedWith(status), status);
    }
    for (const auto& [key, counts] : facts_.paths) {
      const int status = IsNowAndThenMissing(counts) ? kNotFound : FailsSince(counts);
      if (status != 0 && !IsKnown(status, key)) Add(key, status);
    }
    AddRefused();
    AddLate();
    AddLateForUsers();
    AddGivenUp();
  }

 private:
  static constexpr int kNotFound = 404;
  // nginx' own, for clients that closed the connection before they had an answer.
  static constexpr int kClientClosed = 499;
  static constexpr absl::Duration kSlow = absl::Seconds(1);
  static constexpr double kNearlyAll = 0.95, kTimesSlower = 5;
  // So often a path was asked for before anything is said of it.
  static constexpr uint64_t kLeastServed = 20;

  // A path that is served and not found in the same minutes, and was not before: copies of the service differ.
  static bool IsNowAndThenMissing(const PathCounts& counts) {
    const uint64_t missing = counts.during.With(kNotFound);
    const uint64_t served = counts.during.With(200);
    return missing >= kLeastFailures && served >= kLeastFailures && counts.before.requests >= kLeastBefore &&
           counts.before.With(kNotFound) == 0;
  }

  // What clients bring about by what they send, at any time.
  static bool MayBeTheClients(int status) {
    constexpr std::array<int, 5> kClients = {400, 401, 409, 422, 499};
    return std::find(kClients.begin(), kClients.end(), status) != kClients.end();
  }

  // The status with which a path that was always served is answered each time now; 0: none is. Checks that only read
  // don't see it where users write.
  static int FailsSince(const PathCounts& counts) {
    constexpr uint64_t kLeastInARow = 2, kLeastForClients = 5;
    constexpr double kFew = 0.02, kChance = 1e-3;
    uint64_t served = 0, failed = 0;
    for (const RequestCounts* part : {&counts.before, &counts.during}) {
      for (const auto& [status, count] : part->statuses) (status < kFirstError ? served : failed) += count;
    }
    const uint64_t row = counts.failed_in_a_row;
    const int status = counts.last_status;
    const uint64_t least = IsFailure(status) ? kLeastInARow : kLeastForClients;
    if (MayBeTheClients(status) || row < least || served < kLeastServed || counts.during.With(status) < least) return 0;
    const auto others = static_cast<double>(failed - std::min(failed, row)), well = static_cast<double>(served);
    // As often as it would come by chance, if it failed as rarely as before.
    const double chance = std::pow((others + 1) / (well + 1), static_cast<double>(row));
    return others <= kFew * well && chance < kChance ? status : 0;
  }

  // Nobody is served any more, and users are refused on several paths that they were served by, a few times on each:
  // what FailsSince needs of one path all of them have together.
  void AddRefused() {
    constexpr uint64_t kLeastPaths = 2;
    if (facts_.all.failed_in_a_row < kLeastFailures) return;
    std::map<int, std::pair<uint64_t, uint64_t>> refused;  // status -> paths, answers
    std::map<int, std::pair<uint64_t, std::string>> most;
    for (const auto& [key, counts] : facts_.paths) {
      const int status = counts.last_status;
      uint64_t served = 0;
      for (const RequestCounts* part : {&counts.before, &counts.during}) {
        for (const auto& [code, count] : part->statuses) served += code < kFirstError ? count : 0;
      }
      if (status < kFirstError || IsFailure(status) || MayBeTheClients(status) || status == kNotFound ||
          served < kLeastServed || counts.failed_in_a_row == 0 || counts.before.With(status) > 0)
        continue;
      refused[status].first += 1;
      refused[status].second += std::min(counts.failed_in_a_row, counts.during.With(status));
      most[status] = std::max(most[status], {key.starts_with("GET ") ? counts.failed_in_a_row : 0, key});
    }
    for (const auto& [status, counts] : refused) {
      if (counts.first >= kLeastPaths && counts.second >= kLeastFailures && !IsKnown(status))
        Add(most[status].second, status);
    }
  }

  // Whatever the model's checks ask for.
  void AddLateForUsers() {
    constexpr uint64_t kLeastInARow = 3;
    for (const auto& [key, counts] : facts_.paths) {
      const absl::Duration before = counts.before.durations.Quantile(kNearlyAll);
      if (std::min(counts.late_in_a_row, counts.during.requests) < kLeastInARow ||
          counts.before.durations.count() < kLeastServed || kTimesSlower * before > kLateAnswer ||
          counts.last_status >= kFirstError || IsKnownAsLate(key))
        continue;
      Add(key, 0,
          fmt::format("users wait for {}: the last {} answers took {} or more; before, 95 % had theirs within {}", key,
                      counts.late_in_a_row, absl::FormatDuration(kLateAnswer),
                      absl::FormatDuration(absl::Trunc(before, absl::Milliseconds(1)))));
    }
  }

  // Answers to our own checks that were well and took a second or more, many times as long as users wait as a rule: the
  // model need not say how long each may take.
  void AddLate() {
    std::set<std::string> late;
    for (const v1::CheckResult& result : scene_.results) {
      const absl::Duration took = absl::Milliseconds(std::atoi(AttributeOf(result, "duration_ms").c_str()));
      if (result.status() != v1::CHECK_STATUS_PASSED || took < kSlow) continue;
      const std::string key = AskedByUsersAs(result);
      const auto counts = facts_.paths.find(key);
      if (counts == facts_.paths.end() || counts->second.before.durations.count() < kLeastServed) continue;
      const absl::Duration before = counts->second.before.durations.Quantile(kNearlyAll);
      if (took < kTimesSlower * before || !late.insert(key).second) continue;
      Add(key, 0,
          fmt::format("{} takes {}; of users' answers before, 95 % took at most {}", key, absl::FormatDuration(took),
                      absl::FormatDuration(absl::Trunc(before, absl::Milliseconds(1)))));
    }
  }

  // "GET /api/orders" where users ask the gateway for what a check asked the service behind it straight; "": neither
  // they nor the log are of this service.
  std::string AskedByUsersAs(const v1::CheckResult& result) {
    const std::string method = AttributeOf(result, "method"), path = AttributeOf(result, "path");
    if (result.service() == facts_.service->name()) return method + " " + path;
    const NginxFacts* nginx = scene_.NginxOf(facts_.service);
    if (nginx == nullptr) return "";
    if (passed_on_.empty()) RoutePaths(*nginx);
    const auto found = passed_on_.find(result.service() + " " + method + " " + path);
    return found == passed_on_.end() ? "" : found->second;
  }

  // Each once: to follow a route takes many regular expressions.
  void RoutePaths(const NginxFacts& nginx) {
    for (const auto& [key, counts] : facts_.paths) {
      const size_t space = key.find(' ');
      const NginxRoute route = RouteRequest(*nginx.config, nginx.port, nginx.host, key.substr(space + 1));
      for (const std::string& address : route.addresses) {
        const v1::Service* service = scene_.ServiceAt(address);
        if (service == nullptr) continue;
        passed_on_.try_emplace(service->name() + " " + key.substr(0, space) + " " + route.upstream_path, key);
      }
    }
  }

  // Users wait for an answer that came at once before, and none of them gets it.
  void AddGivenUp() {
    constexpr uint64_t kLeastGivenUp = 3;
    constexpr double kRare = 0.02;
    for (const auto& [key, counts] : facts_.paths) {
      const bool now = counts.last_status == kClientClosed && counts.failed_in_a_row >= kLeastGivenUp &&
                       counts.during.With(kClientClosed) >= kLeastGivenUp;
      const auto before = static_cast<double>(counts.before.requests);
      if (!now || counts.before.durations.count() < kLeastServed ||
          static_cast<double>(counts.before.With(kClientClosed)) > kRare * before || IsKnownAsLate(key))
        continue;
      const absl::Duration waited = counts.during.durations.Quantile(kNearlyAll);
      const absl::Duration usual = counts.before.durations.Quantile(kNearlyAll);
      if (waited < kSlow || waited < kTimesSlower * usual) continue;
      Add(key, 0,
          fmt::format("users give up on {} after {}, {} in a row; before, 95 % had their answer within {}", key,
                      absl::FormatDuration(absl::Trunc(waited, absl::Milliseconds(1))), counts.failed_in_a_row,
                      absl::FormatDuration(absl::Trunc(usual, absl::Milliseconds(1)))));
    }
  }

  bool IsKnownAsLate(const std::string& key) const {
    const std::string path = key.substr(key.find(' ') + 1);
    return std::any_of(scene_.symptom_results.begin(), scene_.symptom_results.end(), [&](const auto& entry) {
      const v1::CheckResult& result = entry.second;
      const std::string error = AttributeOf(result, "error");
      const bool late = error == "slow" || error == "timeout" || StatusOf(result) == 504;
      return late && AttributeOf(result, "path") == path;
    });
  }

  // Of a failure of the program itself (500) where users write, checks that read tell nothing: another path is another
  // failure.
  bool IsKnown(int status, const std::string& key) const {
    constexpr int kInternalError = 500;
    if (status != kInternalError || key.starts_with("GET ")) return IsKnown(status);
    const std::string path = key.substr(key.find(' ') + 1);
    return std::any_of(scene_.symptoms.begin(), scene_.symptoms.end(), [&](const v1::Symptom& symptom) {
      const auto result = scene_.symptom_results.find(symptom.id());
      return symptom.component() == facts_.service->name() && result != scene_.symptom_results.end() &&
             StatusOf(result->second) == status && AttributeOf(result->second, "path") == path;
    });
  }

  // A check of ours met the same at this service.
  bool IsKnown(int status) const {
    return std::any_of(scene_.symptoms.begin(), scene_.symptoms.end(), [&](const v1::Symptom& symptom) {
      const auto result = scene_.symptom_results.find(symptom.id());
      return symptom.component() == facts_.service->name() && result != scene_.symptom_results.end() &&
             StatusOf(result->second) == status;
    });
  }

  // A GET where there is one: that can be asked again.
  std::string MostAskedWith(int status) const {
    std::pair<bool, uint64_t> best;
    std::string found = "GET /";
    for (const auto& [key, counts] : facts_.paths) {
      const std::pair<bool, uint64_t> here = {key.starts_with("GET ") && counts.during.With(status) > 0,
                                              counts.during.With(status)};
      if (here <= best) continue;
      best = here;
      found = key;
    }
    return found;
  }

  void Add(const std::string& key, int status) {
    const PathCounts& all = facts_.all;
    Add(key, status,
        fmt::format("users got {}: {} of {} requests, {} of {} before; most often {}", status, all.during.With(status),
                    all.during.requests, all.before.With(status), all.before.requests, key));
  }

  // `status` 0: it was served, too late.
  void Add(const std::string& key, int status, const std::string& summary) {
    const size_t space = key.find(' ');
    v1::CheckResult result;
    result.set_name("access log");
    result.set_kind("access_log");
    result.set_service(facts_.service->name());
    result.set_status(v1::CHECK_STATUS_FAILED);
    result.set_summary(summary);
    auto& attributes = *result.mutable_attributes();
    attributes["method"] = key.substr(0, space);
    attributes["path"] = key.substr(space + 1);
    if (status == 0) {
      attributes["error"] = "slow";
    } else {
      attributes["status"] = std::to_string(status);
    }
    if (!facts_.service->base_url().empty())
      attributes["url"] = "http://" + AddressOf(facts_.service->base_url()) + key.substr(space + 1);
    const std::string id = scene_.AddSymptom(facts_.service->name(), result.name(), result.summary(), facts_.evidence);
    scene_.symptom_results[id] = result;
  }

  Scene& scene_;
  const AccessFacts& facts_;
  // "shop GET /svc/orders" -> "GET /api/orders": what the gateway makes of users' requests.
  std::map<std::string, std::string> passed_on_;
};

// The service behind most of the requests: its gateway's upstream, else the one that wrote the log.
const v1::Service& Loaded(const Scene& scene, const AccessFacts& facts) {
  const NginxFacts* nginx = scene.NginxOf(facts.service);
  const auto most = std::max_element(facts.paths.begin(), facts.paths.end(), [](const auto& a, const auto& b) {
    return a.second.during.requests < b.second.during.requests;
  });
  if (nginx == nullptr || most == facts.paths.end()) return *facts.service;
  const std::string path = most->first.substr(most->first.find(' ') + 1);
  for (const std::string& address : RouteRequest(*nginx->config, nginx->port, nginx->host, path).addresses) {
    if (const v1::Service* upstream = scene.ServiceAt(address)) return *upstream;
  }
  return *facts.service;
}

void JudgeLoad(Scene* scene, const AccessFacts& facts, std::vector<Candidate>* candidates) {
  constexpr double kMost = 0.95;
  const auto usual = facts.UsualPerMinute();
  const uint32_t peak = facts.PeakPerMinute();
  const absl::Duration before = facts.all.before.durations.Quantile(kMost);
  const absl::Duration during = facts.all.during.durations.Quantile(kMost);
  if (!usual || facts.minutes_before.size() < kLeastMinutes || peak < kJump * *usual) return;
  if (before == absl::ZeroDuration() || during < kSlower * before) return;
  const v1::Service& loaded = Loaded(*scene, facts);
  std::set<std::string> symptoms;
  for (const v1::Service* service : {&loaded, facts.service}) {
    for (const std::string& id : SymptomsBehind(*scene, *service)) symptoms.insert(id);
  }
  if (symptoms.empty()) return;
  v1::Hypothesis h;
  h.set_kind("load.overload");
  h.set_component(loaded.name());
  h.set_title(fmt::format("{} gets {} requests a minute, {:.1f} times the usual", loaded.name(), peak,
                          static_cast<double>(peak) / std::max(1U, *usual)));
  h.set_explanation(
      fmt::format("{} passes on up to {} requests a minute; before, 95 % of the minutes had at most {}. At the same "
                  "time 95 % of the "
                  "answers took up to {} in place of {}.",
                  facts.service->name(), peak, *usual, absl::FormatDuration(absl::Trunc(during, absl::Milliseconds(1))),
                  absl::FormatDuration(absl::Trunc(before, absl::Milliseconds(1)))));
  for (const std::string& id : symptoms) h.add_symptom_ids(id);
  h.add_evidence_for(facts.evidence);
  h.set_confidence(kOverload);
  h.set_status(v1::HYPOTHESIS_STATUS_PROPOSED);
  candidates->push_back({std::move(h), {}});
}

}  // namespace

void AnalyzeAccessFailures(Scene* scene, std::vector<Candidate>*) {
  for (const AccessFacts* facts : scene->facts.All<AccessFacts>()) AccessJudge(scene, *facts).AddSymptoms();
}

void AnalyzeLoad(Scene* scene, std::vector<Candidate>* candidates) {
  for (const AccessFacts* facts : scene->facts.All<AccessFacts>()) JudgeLoad(scene, *facts, candidates);
}

}  // namespace omnix
