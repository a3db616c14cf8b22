// Causes that a log names by itself: messages of databases, caches, gateways and the operating system that are new
// since the trouble began, where the service (or what needs it) fails. What they claim is tested where it can be.
#include <re2/re2.h>

#include <algorithm>

#include "agents/investigation/analyzer.h"
#include "agents/investigation/gateway_limits.h"
#include "agents/investigation/gateway_request.h"
#include "agents/investigation/log_signs.h"
#include "agents/investigation/sign_tests.h"
#include "agents/investigation/symptoms_of.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr double kTested = 0.87;
constexpr double kLogged = 0.75;
// The store's own log, or several services, say the same.
constexpr double kLoggedTwice = 0.85;
constexpr double kRefuted = 0.4;
// A caller with a wrong token reads the same: without two secrets that differ it is a guess.
constexpr double kSignature = 0.4;
// Nothing fails because of it.
constexpr double kWithoutSymptom = 0.3;

// By what the model says: a database with a DSN, the kind of the service, or the program that it is.
bool IsCache(const v1::Service& service) {
  static const RE2 kCache("(?i)redis|valkey|keydb|memcached");
  return service.database().kind() == "redis" || service.kind() == "cache" ||
         RE2::PartialMatch(service.kind(), kCache) || RE2::PartialMatch(service.process().match(), kCache) ||
         RE2::PartialMatch(service.unit(), kCache) ||
         (service.kind().empty() && RE2::PartialMatch(service.name(), kCache));
}

bool IsDatabase(const v1::Service& service) {
  static const RE2 kDatabase("(?i)postgres|mysql|mariadb|mongo");
  return (service.has_database() || service.kind() == "database" || RE2::PartialMatch(service.kind(), kDatabase) ||
          RE2::PartialMatch(service.process().match(), kDatabase) || RE2::PartialMatch(service.unit(), kDatabase)) &&
         !IsCache(service);
}

bool FitsStore(const v1::Service& service, std::string_view kind) {
  if (kind.starts_with("cache.")) return IsCache(service);
  return kind.starts_with("database.") ? IsDatabase(service) : IsDatabase(service) || IsCache(service);
}

// The store that the message is about; null where the model does not tell.
const v1::Service* StoreOf(const Scene& scene, const LogSign& sign) {
  if (FitsStore(*sign.service, sign.shape->kind)) return sign.service;
  const v1::Service* found = nullptr;
  for (const std::string& name : sign.service->depends_on()) {
    const v1::Service* needed = scene.FindService(name);
    if (needed == nullptr || !FitsStore(*needed, sign.shape->kind)) continue;
    if (found != nullptr) return nullptr;
    found = needed;
  }
  return found;
}

bool FailsItsCheck(const Scene& scene, const v1::Service& store) {
  return std::any_of(scene.results.begin(), scene.results.end(), [&](const v1::CheckResult& result) {
    return result.service() == store.name() && result.kind() == "database" &&
           result.status() == v1::CHECK_STATUS_FAILED;
  });
}

// The one service that needs the store and has symptoms of its own; null where there are none or several.
const v1::Service* FailingClientOf(const Scene& scene, const v1::Service& store) {
  const v1::Service* client = nullptr;
  for (const v1::Service& service : scene.input.system.services()) {
    const auto& needs = service.depends_on();
    if (std::find(needs.begin(), needs.end(), store.name()) == needs.end()) continue;
    const bool speaks = !SignsOf(scene, service).empty() || !SymptomsBehind(scene, service).empty();
    if (!speaks) continue;
    if (client != nullptr) return nullptr;
    client = &service;
  }
  return client;
}

const v1::Service* ComponentOf(const Scene& scene, const LogSign& sign) {
  if (sign.shape->place == SignPlace::kSelf) return sign.service;
  const v1::Service* store = StoreOf(scene, sign);
  if (store == nullptr) return sign.service;
  if (sign.shape->place == SignPlace::kStore) return store;
  if (FailsItsCheck(scene, *store)) return store;
  if (store != sign.service) return sign.service;
  const v1::Service* client = FailingClientOf(scene, *store);
  return client == nullptr ? store : client;
}

v1::Location PlaceOfDirective(const NginxDirective* directive) {
  return directive == nullptr ? v1::Location() : directive->words[0].location;
}

// "/etc/nginx/nginx.conf:12"
v1::Location PlaceIn(const std::string& text) {
  v1::Location location;
  const size_t colon = text.rfind(':');
  location.set_file(text.substr(0, colon));
  location.set_line(static_cast<uint32_t>(std::atoi(text.c_str() + colon + 1)));
  return location;
}

v1::Location PlaceOf(const Scene& scene, const v1::Service& component, const LogSign& sign, const v1::Hypothesis& h) {
  if (sign.shape->kind == "gateway.body_limit")
    return PlaceOfDirective(LimitBehind(scene, component, h.symptom_ids(), {"client_max_body_size"}));
  if (sign.shape->kind == "gateway.rate_limit")
    return PlaceOfDirective(RateLimitBehind(scene, component, h.symptom_ids(), sign.what));
  if (sign.shape->kind == "nginx.syntax_error") return PlaceIn(sign.what);
  if (sign.shape->kind == "dns.failure") return PlaceInConfiguration(component, sign.what);
  return {};
}

struct Group {
  const v1::Service* component = nullptr;
  std::vector<const LogSign*> signs;
};

std::vector<Group> GroupSigns(const Scene& scene) {
  std::vector<Group> groups;
  for (const LogSign* sign : scene.facts.All<LogSign>()) {
    const v1::Service* component = ComponentOf(scene, *sign);
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const Group& group) {
      return group.component == component && group.signs[0]->shape->kind == sign->shape->kind;
    });
    if (same == groups.end()) {
      groups.push_back({component, {sign}});
    } else {
      same->signs.push_back(sign);
    }
  }
  return groups;
}

// A limit of the gateway, or a refused signature, answers with a status of its own: what fails otherwise has another
// cause.
bool MayExplain(const Scene& scene, std::string_view kind, const std::string& symptom) {
  const auto found = scene.symptom_results.find(symptom);
  const int status = found == scene.symptom_results.end() ? 0 : StatusOf(found->second);
  if (kind == "gateway.body_limit") return status == 413;
  if (kind == "gateway.rate_limit") return status == 429 || status == 503;
  // A caller that fails with 500 because of it says so in its own log.
  if (kind == "secret.mismatch") return status == 0 || status == 401 || status == 403;
  return true;
}

// Whether the message speaks of this request: "POST /photos failed" of "/api/v1/photos".
bool Names(const LogSign& sign, const std::string& path) {
  static const RE2 kPath(R"((?:^|[\s"'=(\[])(/[A-Za-z0-9_][^\s"'?,;)\]]*))");
  re2::StringPiece rest(sign.text);
  for (std::string named; RE2::FindAndConsume(&rest, kPath, &named);) {
    if (path.ends_with(named)) return true;
  }
  return false;
}

// False where messages give this request another reason to fail.
bool IsOfKind(const Scene& scene, std::string_view kind, const std::string& symptom) {
  const auto found = scene.symptom_results.find(symptom);
  const std::string url = found == scene.symptom_results.end() ? "" : AttributeOf(found->second, "url");
  bool other = false;
  if (url.empty()) return true;
  for (const LogSign* sign : scene.facts.All<LogSign>()) {
    if (!Names(*sign, PathOf(url))) continue;
    if (sign->shape->kind == kind) return true;
    other = true;
  }
  return !other;
}

void AddSymptoms(const Scene& scene, const Group& group, v1::Hypothesis* h) {
  std::set<std::string> ids;
  const std::string_view kind = group.signs[0]->shape->kind;
  const auto refused = [&](const v1::CheckResult& result) {
    return kind == "secret.mismatch" && (StatusOf(result) == 401 || StatusOf(result) == 403);
  };
  const auto add = [&](const v1::Service& service) {
    for (const std::string& id : SymptomsBehind(scene, service, refused)) {
      if (MayExplain(scene, kind, id) && IsOfKind(scene, kind, id)) ids.insert(id);
    }
  };
  add(*group.component);
  for (const LogSign* sign : group.signs) add(*sign->service);
  for (const std::string& id : ids) h->add_symptom_ids(id);
}

Candidate Judge(Scene* scene, const Group& group) {
  LogSign first = *group.signs[0];
  if (first.shape->kind == "dns.failure" && first.what.empty()) first.what = UnknownName(*scene, *group.component);
  v1::Hypothesis h;
  h.set_kind(std::string(first.shape->kind));
  h.set_component(group.component->name());
  h.set_title(
      fmt::format("{} {}{}", group.component->name(), first.shape->says, first.what.empty() ? "" : ": " + first.what));
  AddSymptoms(*scene, group, &h);
  std::set<std::string> logs;
  uint64_t count = 0;
  for (const LogSign* sign : group.signs) {
    h.add_evidence_for(sign->evidence);
    logs.insert(sign->log);
    count += sign->count;
  }
  *h.mutable_location() = PlaceOf(*scene, *group.component, first, h);
  const auto test = TestSign(scene, first, *group.component, h);
  if (test) *h.add_tests() = *test;
  const bool agrees = test && test->agrees();
  const bool signature = first.shape->kind == "secret.mismatch";
  const double logged = signature ? kSignature : logs.size() > 1 ? kLoggedTwice : kLogged;
  h.set_confidence(h.symptom_ids_size() == 0 ? kWithoutSymptom : agrees ? kTested : test ? kRefuted : logged);
  h.set_status(agrees ? v1::HYPOTHESIS_STATUS_SUPPORTED : v1::HYPOTHESIS_STATUS_PROPOSED);
  h.set_explanation(
      fmt::format("{} of {} say{} so, {} times since the trouble began and not before. {} symptoms come "
                  "from there.{}",
                  logs.size() == 1 ? "The log" : fmt::format("{} logs", logs.size()), first.service->name(),
                  logs.size() == 1 ? "s" : "", count, h.symptom_ids_size(),
                  test ? " Asked now: " + test->description() + "." : ""));
  AddRevert(*scene, *group.component, &h);
  return {h, {}};
}

}  // namespace

void AnalyzeLogSigns(Scene* scene, std::vector<Candidate>* candidates) {
  for (const Group& group : GroupSigns(*scene)) {
    Candidate candidate = Judge(scene, group);
    const v1::Hypothesis& h = candidate.hypothesis;
    // What nothing suffers from and is not so any more is no candidate.
    if (h.symptom_ids_size() == 0 && h.tests_size() > 0 && !h.tests(0).agrees()) continue;
    candidates->push_back(std::move(candidate));
  }
}

}  // namespace omnix
