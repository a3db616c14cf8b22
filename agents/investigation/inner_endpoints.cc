#include "agents/investigation/inner_endpoints.h"

#include <algorithm>
#include <map>
#include <thread>

#include "agents/checks/http_tools.h"
#include "agents/investigation/derived_suite.h"
#include "agents/investigation/evaluate_suite.h"

namespace omnix {
namespace {

// For what callers wait for in vain as well.
constexpr absl::Duration kLateTimeout = absl::Seconds(2);
// Of endpoints whose callers get the same failing status, so many are asked straight first.
constexpr size_t kAskedOfAlike = 3;

// What was answered to the requests through services that need this one, of the same path as far as its ending tells;
// 0: one that has no answer.
std::vector<int> AnsweredToCallers(const Scene& scene, const v1::Service& service, const v1::Endpoint& endpoint) {
  constexpr size_t kLeastPath = 2;
  std::vector<int> statuses;
  if (endpoint.path().size() < kLeastPath) return statuses;
  for (const v1::Service& caller : scene.input.system.services()) {
    const auto& needs = caller.depends_on();
    if (std::find(needs.begin(), needs.end(), service.name()) == needs.end()) continue;
    const std::vector<int> some = scene.http.KnownStatuses(caller.name(), endpoint.path());
    statuses.insert(statuses.end(), some.begin(), some.end());
  }
  return statuses;
}

// Whether a request that was answered well has shown already that the endpoint is: it has reached it.
bool IsShown(const std::vector<int>& statuses) {
  return std::any_of(statuses.begin(), statuses.end(),
                     [](int status) { return status > 0 && (StatusMatches(status, {}) || WantsCredentials(status)); });
}

}  // namespace

void InnerEndpoints::Ask() {
  std::vector<std::jthread> threads;
  for (const v1::Service& service : scene_.input.system.services()) {
    if (AsksEndpoints(scene_.input.system, service) && IsNeeded(scene_.input.system, service.name()))
      threads.emplace_back([this, &service] { Ask(service); });
  }
}

void InnerEndpoints::TakeResults() {
  for (v1::CheckResult& result : shown_) scene_.results.push_back(std::move(result));
  for (const v1::Verdict& verdict : verdicts_) TakeVerdict(&scene_, verdict);
}

void InnerEndpoints::Ask(const v1::Service& service) {
  // Some that nothing is known of; and what callers were answered alike: first a few of them, the others only where
  // those are not well.
  std::vector<v1::Endpoint> first, late;
  std::map<int, std::vector<v1::Endpoint>> alike;
  for (const v1::Endpoint& endpoint : service.endpoints()) {
    const std::vector<int> statuses = AnsweredToCallers(scene_, service, endpoint);
    if (IsShown(statuses)) {
      NoteShown(service, endpoint);
    } else if (statuses.empty()) {
      first.push_back(endpoint);
    } else if (statuses[0] == 0) {
      late.push_back(endpoint);
    } else {
      alike[statuses[0]].push_back(endpoint);
    }
  }
  std::map<int, std::vector<v1::Endpoint>> rest;
  const auto reads = [](const v1::Endpoint& endpoint) {
    const bool plain = endpoint.path().find('{') == std::string::npos && !endpoint.websocket();
    return plain && (endpoint.method().empty() || endpoint.method() == "GET");
  };
  for (auto& [status, endpoints] : alike) {
    std::stable_partition(endpoints.begin(), endpoints.end(), reads);
    const size_t asked = std::min(kAskedOfAlike, endpoints.size());
    first.insert(first.end(), endpoints.begin(), endpoints.begin() + static_cast<ptrdiff_t>(asked));
    rest[status].assign(endpoints.begin() + static_cast<ptrdiff_t>(asked), endpoints.end());
  }
  std::jthread waits([&] { Evaluate(service, late, kLateTimeout); });
  if (Evaluate(service, first, kSuiteRequestTimeout)) return;
  for (const auto& [status, endpoints] : rest) Evaluate(service, endpoints, kSuiteRequestTimeout);
}

bool InnerEndpoints::Evaluate(const v1::Service& service, const std::vector<v1::Endpoint>& endpoints,
                              absl::Duration timeout) {
  if (endpoints.empty()) return true;
  v1::SystemModel reduced = scene_.input.system;
  for (v1::Service& copy : *reduced.mutable_services()) {
    if (copy.name() == service.name()) *copy.mutable_endpoints() = {endpoints.begin(), endpoints.end()};
  }
  v1::Suite suite;
  suite.set_name("endpoints behind the entries");
  AddStep("endpoints", service.name(), "", &suite);
  v1::Verdict verdict = EvaluateSuite(&scene_, reduced, std::move(suite), timeout);
  const bool passed = verdict.passed();
  const std::lock_guard lock(mutex_);
  verdicts_.push_back(std::move(verdict));
  return passed;
}

void InnerEndpoints::NoteShown(const v1::Service& service, const v1::Endpoint& endpoint) {
  v1::CheckResult shown;
  shown.set_name("endpoints of " + service.name());
  shown.set_kind("endpoints");
  shown.set_service(service.name());
  shown.set_status(v1::CHECK_STATUS_PASSED);
  shown.set_summary(endpoint.path() + " was served to a caller");
  const std::lock_guard lock(mutex_);
  shown_.push_back(std::move(shown));
}

}  // namespace omnix
