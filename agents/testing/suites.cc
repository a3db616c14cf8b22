#include "agents/testing/suites.h"

#include <algorithm>

#include "absl/strings/str_join.h"
#include "common/json.h"
#include "common/status.h"
#include "common/time.h"

namespace omnix {
namespace {

constexpr char kDerivedSuite[] = "derived";

void AddStep(const std::string& kind, const std::string& service, const std::string& name, const Json& with,
             v1::Suite* suite) {
  v1::Check& step = *suite->add_steps();
  step.set_kind(kind);
  step.set_service(service);
  step.set_name(name);
  *step.mutable_with() = JsonToStruct(with);
}

// The services that browsers call: those of the clients, else the gateways, else all that speak HTTP.
std::vector<std::string> BrowserFacing(const v1::SystemModel& system) {
  std::vector<std::string> called;
  std::vector<std::string> gateways;
  std::vector<std::string> all;
  for (const v1::Service& service : system.services()) {
    if (service.base_url().empty()) continue;
    const bool has_client = std::any_of(system.clients().begin(), system.clients().end(),
                                        [&](const v1::Client& client) { return client.service() == service.name(); });
    if (has_client) called.push_back(service.name());
    if (service.kind() == "gateway") gateways.push_back(service.name());
    all.push_back(service.name());
  }
  return !called.empty() ? called : !gateways.empty() ? gateways : all;
}

// Where suite number `index` of the model came from, for messages. The suites of suite_files come last, in the files'
// order.
std::string PlaceOf(const v1::SystemModel& system, int index) {
  const int from_file = index - (system.suites_size() - system.suite_files_size());
  const std::string name = "suite " + system.suites(index).name();
  return from_file >= 0 && from_file < system.suite_files_size() ? system.suite_files(from_file) + ": " + name : name;
}

}  // namespace

v1::Suite DeriveSuite(const v1::SystemModel& system) {
  v1::Suite suite;
  suite.set_name(kDerivedSuite);
  for (const v1::Client& client : system.clients()) {
    AddStep("client_calls", client.service(), "calls of " + client.name(), {{"client", client.name()}}, &suite);
  }
  for (const v1::Service& service : system.services()) {
    const bool probed = !service.base_url().empty() && !service.endpoints().empty();
    if (probed) AddStep("endpoints", service.name(), "endpoints of " + service.name(), Json::object(), &suite);
  }
  if (!system.origins().empty()) {
    for (const std::string& name : BrowserFacing(system))
      AddStep("cors", name, "origins of " + name, {{"allow_any_origin", true}}, &suite);
  }
  for (const v1::Client& client : system.clients()) {
    if (client.dev_proxy_files().empty()) continue;
    AddStep("dev_proxy", client.service(), "development proxy of " + client.name(), {{"client", client.name()}},
            &suite);
  }
  return suite;
}

absl::Status ValidateSuites(const v1::SystemModel& system) {
  std::vector<std::string> mistakes;
  for (int i = 0; i < system.suites_size(); ++i) {
    for (const v1::Check& step : system.suites(i).steps()) {
      const absl::Status status = ValidateCheck(step);
      if (!status.ok())
        mistakes.push_back(fmt::format("{}: step '{}': {}", PlaceOf(system, i), step.name(), Message(status)));
    }
  }
  if (mistakes.empty()) return absl::OkStatus();
  return InvalidArgument("{}", absl::StrJoin(mistakes, "\n"));
}

v1::Verdict RunSuites(const v1::SystemModel& system, CheckContext& context) {
  const bool derived = system.suites().empty();
  const std::vector<v1::Suite> suites = derived
                                            ? std::vector<v1::Suite>{DeriveSuite(system)}
                                            : std::vector<v1::Suite>(system.suites().begin(), system.suites().end());
  v1::Verdict whole;
  whole.set_passed(true);
  std::vector<v1::CheckResult> results;
  absl::Duration window;
  for (const v1::Suite& suite : suites) {
    v1::Verdict verdict = RunSuite(suite, context);
    whole.set_passed(whole.passed() && verdict.passed());
    whole.set_runs(std::max(whole.runs(), verdict.runs()));
    window = std::max(window, FromProto(verdict.window()));
    for (v1::CheckResult& result : *verdict.mutable_results()) {
      if (suites.size() > 1) result.set_name(suite.name() + ": " + result.name());
      results.push_back(std::move(result));
    }
  }
  *whole.mutable_window() = ToProto(window);
  whole.set_summary(Summarize(results) +
                    (derived ? "; the system model has no suite: the checks were derived from it" : ""));
  for (v1::CheckResult& result : results) *whole.add_results() = std::move(result);
  return whole;
}

}  // namespace omnix
