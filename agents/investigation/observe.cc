#include <re2/re2.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "agents/checks/check.h"
#include "agents/checks/http_tools.h"
#include "agents/investigation/probe.h"
#include "agents/investigation/scene.h"
#include "common/file.h"
#include "common/status.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr size_t kMaxSymptoms = 100;
// Waiting for turns included (HttpBroker).
constexpr absl::Duration kCheckTimeout = absl::Seconds(25);
constexpr absl::Duration kRequestTimeout = absl::Seconds(5);
// For what callers wait for in vain as well.
constexpr absl::Duration kLateTimeout = absl::Seconds(2);
// So long without a request or an answer, and what is open is late.
constexpr absl::Duration kIdle = absl::Milliseconds(600);
// Of endpoints whose callers get the same failing status, so many are asked straight first.
constexpr size_t kAskedOfAlike = 3;
constexpr size_t kMaxParallelProbes = 6;
constexpr int kMaxSuites = 32;

void ReadClients(Scene* scene) {
  for (const v1::Client& client : scene->input.system.clients()) {
    ClientFacts facts;
    facts.client = &client;
    facts.gateway = scene->FindService(client.service());
    absl::StatusOr<ClientCalls> calls = ReadClientCalls(client);
    if (calls.ok()) {
      facts.calls = *std::move(calls);
      const Literal base = facts.calls.bases.empty() ? Literal() : facts.calls.bases[0];
      facts.evidence = scene->book.Add(
          MakeEvidence("client_source", client.name(),
                       fmt::format("{} makes {} calls; base path {}", client.name(), facts.calls.calls.size(),
                                   facts.calls.base_path.empty() ? "none" : facts.calls.base_path),
                       base.line_text, base.location, {{"base", facts.calls.base_path}}));
    } else {
      scene->book.Add(MakeEvidence("client_source", client.name(), Message(calls.status())));
    }
    if (client.dev_proxy_files_size() > 0) {
      absl::StatusOr<DevProxy> dev = ReadDevProxy({client.dev_proxy_files().begin(), client.dev_proxy_files().end()});
      if (dev.ok()) {
        facts.dev = *std::move(dev);
        facts.dev_calls = ReadClientCalls(client, ClientBuild::kDevelopment).value_or(facts.calls);
        const DevProxyEntry& entry = facts.dev->entries[0];
        facts.dev_evidence = scene->book.Add(
            MakeEvidence("dev_proxy", client.name(),
                         fmt::format("{} proxy forwards {} to {}", facts.dev->tool, entry.key.text, entry.target.text),
                         entry.key.line_text, entry.key.location));
      } else {
        scene->book.Add(MakeEvidence("dev_proxy", client.name(), Message(dev.status())));
      }
    }
    scene->clients.push_back(std::move(facts));
  }
}

// By the declared format; else by the name; else by what the file says: a block that only nginx has.
bool IsNginx(const v1::ConfigFile& file) {
  if (!file.format().empty()) return file.format() == "nginx";
  const std::string name = file.path().substr(file.path().rfind('/') + 1);
  const bool plain = name.ends_with(".conf") || name.find('.') == std::string::npos;
  if (!plain) return false;
  if (file.path().find("nginx") != std::string::npos) return true;
  static const RE2 kBlock("(?m)^\\s*(?:http|server|upstream|location|map|events)\\b[^;{}]*\\{");
  const auto text = ReadFile(file.path());
  return text.ok() && RE2::PartialMatch(*text, kBlock);
}

void ReadNginx(Scene* scene) {
  for (const v1::Service& service : scene->input.system.services()) {
    for (const v1::ConfigFile& file : service.config_files()) {
      if (!IsNginx(file)) continue;
      NginxFacts facts;
      facts.service = &service;
      facts.file = &file;
      absl::StatusOr<NginxConfig> config = ReadNginxConfig(file.path());
      if (config.ok()) {
        facts.config = *std::move(config);
        facts.evidence =
            scene->book.Add(MakeEvidence("nginx_config", service.name(),
                                         fmt::format("{}: {} server blocks in {} files", file.path(),
                                                     NginxServers(*facts.config).size(), facts.config->files.size())));
      } else {
        facts.error = Message(config.status());
        facts.evidence = scene->book.Add(MakeEvidence("nginx_config", service.name(), facts.error));
      }
      const std::string address = AddressOf(service.base_url());
      if (const size_t colon = address.rfind(':'); colon != std::string::npos) {
        facts.port = std::atoi(address.c_str() + colon + 1);
        facts.host = address.substr(0, colon);
      }
      scene->nginx.push_back(std::move(facts));
    }
  }
}

bool HasStep(const v1::SystemModel& system, const std::string& kind, const std::string& service,
             const std::string& client) {
  for (const v1::Suite& suite : system.suites()) {
    for (const v1::Check& step : suite.steps()) {
      if (step.kind() != kind) continue;
      const auto& with = step.with().fields();
      if (client.empty() ? step.service() == service
                         : (with.count("client") > 0 && with.at("client").string_value() == client))
        return true;
    }
  }
  return false;
}

void AddStep(const std::string& kind, const std::string& service, const std::string& client, v1::Suite* suite) {
  v1::Check* check = suite->add_steps();
  check->set_name(kind + " of " + (client.empty() ? service : client));
  check->set_kind(kind);
  check->set_service(service);
  if (!client.empty()) (*check->mutable_with()->mutable_fields())["client"].set_string_value(client);
}

// What the model expects of a service by itself, where no suite asks it.
void AddStepsOf(const v1::SystemModel& system, const v1::Service& service, v1::Suite* suite) {
  const auto add = [&](bool declared, const char* kind) {
    if (declared && !HasStep(system, kind, service.name(), "")) AddStep(kind, service.name(), "", suite);
  };
  add(service.listen_size() > 0, "listen");
  add(service.has_process(), "process");
  add(service.has_database(), "database");
  add(service.disks_size() > 0, "disk");
  add(service.tls_size() > 0, "tls");
}

bool IsNeeded(const v1::SystemModel& system, const std::string& service) {
  const auto needs = [&](const v1::Service& other) {
    return std::find(other.depends_on().begin(), other.depends_on().end(), service) != other.depends_on().end();
  };
  return std::any_of(system.services().begin(), system.services().end(), needs);
}

bool AsksEndpoints(const v1::SystemModel& system, const v1::Service& service) {
  const bool asked = HasStep(system, "endpoints", service.name(), "");
  return service.endpoints_size() > 0 && !service.base_url().empty() && !asked;
}

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

// The headers that its clients send.
void AddHeaders(const Scene& scene, const v1::Service& service, v1::Check* cors) {
  std::set<std::string> headers;
  for (const ClientFacts& facts : scene.clients) {
    if (facts.gateway == &service) headers.insert(facts.calls.headers.begin(), facts.calls.headers.end());
  }
  if (headers.empty()) return;
  google::protobuf::ListValue* list = (*cors->mutable_with()->mutable_fields())["headers"].mutable_list_value();
  for (const std::string& header : headers) list->add_values()->set_string_value(header);
}

// What the suites don't ask.
v1::Suite DerivedSuite(const Scene& scene) {
  v1::Suite suite;
  suite.set_name("derived from the system model");
  const v1::SystemModel& system = scene.input.system;
  std::set<std::string> called;
  for (const ClientFacts& facts : scene.clients) {
    if (facts.gateway == nullptr || facts.gateway->base_url().empty() || facts.calls.calls.empty()) continue;
    const std::string& gateway = facts.gateway->name();
    const std::string& client = facts.client->name();
    called.insert(gateway);
    if (facts.dev && !HasStep(system, "dev_proxy", "", client)) AddStep("dev_proxy", gateway, client, &suite);
    if (!HasStep(system, "client_calls", "", client)) AddStep("client_calls", gateway, client, &suite);
  }
  for (const v1::Service& service : system.services()) {
    if (called.contains(service.name()) && system.origins_size() > 0 && !HasStep(system, "cors", service.name(), "")) {
      AddStep("cors", service.name(), "", &suite);
      AddHeaders(scene, service, suite.mutable_steps(suite.steps_size() - 1));
    }
    AddStepsOf(system, service, &suite);
    if (AsksEndpoints(system, service) && !IsNeeded(system, service.name()))
      AddStep("endpoints", service.name(), "", &suite);
  }
  return suite;
}

// Moves the steps of these kinds, in their order, out of the suite. One that uses a variable stays: an earlier step may
// give it.
v1::Suite TakeSteps(const std::set<std::string>& kinds, const std::string& name, v1::Suite* suite) {
  v1::Suite taken;
  taken.set_name(name);
  google::protobuf::RepeatedPtrField<v1::Check> rest;
  for (v1::Check& step : *suite->mutable_steps()) {
    const bool moves = kinds.contains(step.kind()) && step.with().ShortDebugString().find("${") == std::string::npos;
    *(moves ? taken.mutable_steps() : &rest)->Add() = std::move(step);
  }
  suite->mutable_steps()->Swap(&rest);
  return taken;
}

v1::Verdict Evaluate(Scene* scene, const v1::SystemModel& system, v1::Suite suite,
                     absl::Duration request_timeout = kRequestTimeout) {
  if (suite.steps_size() == 0) return {};
  suite.clear_stability();
  CheckContext context{.system = system,
                       .variables = {suite.variables().begin(), suite.variables().end()},
                       .timeout = kCheckTimeout,
                       .cancelled = scene->input.cancelled,
                       .http = &scene->http,
                       .request_timeout = request_timeout};
  return RunSuite(suite, context);
}

void Take(Scene* scene, const v1::Verdict& verdict) {
  for (const v1::CheckResult& result : verdict.results()) {
    scene->results.push_back(result);
    // A step that only lacks what an earlier one should have given is a consequence.
    if (!Blocks(result) || result.status() != v1::CHECK_STATUS_FAILED || scene->symptoms.size() >= kMaxSymptoms)
      continue;
    const std::string evidence =
        scene->book.Add(MakeEvidence("check", result.service(), result.summary(), result.excerpt(), {},
                                     {result.attributes().begin(), result.attributes().end()}));
    const std::string id = scene->AddSymptom(result.service(), result.name(), result.summary(), evidence);
    scene->symptom_results[id] = result;
  }
}

// The endpoints of services behind others that no request through those has shown to be well: each costs the service
// one more request.
class InnerEndpoints {
 public:
  explicit InnerEndpoints(Scene* scene) : scene_(*scene) {}

  // While the suites may still wait for late answers.
  void Ask() {
    std::vector<std::jthread> threads;
    for (const v1::Service& service : scene_.input.system.services()) {
      if (AsksEndpoints(scene_.input.system, service) && IsNeeded(scene_.input.system, service.name()))
        threads.emplace_back([this, &service] { Ask(service); });
    }
  }

  void TakeResults() {
    for (v1::CheckResult& result : shown_) scene_.results.push_back(std::move(result));
    for (const v1::Verdict& verdict : verdicts_) Take(&scene_, verdict);
  }

 private:
  void Ask(const v1::Service& service) {
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
    if (Evaluate(service, first, kRequestTimeout)) return;
    for (const auto& [status, endpoints] : rest) Evaluate(service, endpoints, kRequestTimeout);
  }

  // Whether all are well.
  bool Evaluate(const v1::Service& service, const std::vector<v1::Endpoint>& endpoints, absl::Duration timeout) {
    if (endpoints.empty()) return true;
    v1::SystemModel reduced = scene_.input.system;
    for (v1::Service& copy : *reduced.mutable_services()) {
      if (copy.name() == service.name()) *copy.mutable_endpoints() = {endpoints.begin(), endpoints.end()};
    }
    v1::Suite suite;
    suite.set_name("endpoints behind the entries");
    AddStep("endpoints", service.name(), "", &suite);
    v1::Verdict verdict = omnix::Evaluate(&scene_, reduced, std::move(suite), timeout);
    const bool passed = verdict.passed();
    const std::lock_guard lock(mutex_);
    verdicts_.push_back(std::move(verdict));
    return passed;
  }

  void NoteShown(const v1::Service& service, const v1::Endpoint& endpoint) {
    v1::CheckResult shown;
    shown.set_name("endpoints of " + service.name());
    shown.set_kind("endpoints");
    shown.set_service(service.name());
    shown.set_status(v1::CHECK_STATUS_PASSED);
    shown.set_summary(endpoint.path() + " was served to a caller");
    const std::lock_guard lock(mutex_);
    shown_.push_back(std::move(shown));
  }

  Scene& scene_;
  std::mutex mutex_;
  std::vector<v1::CheckResult> shown_;
  std::vector<v1::Verdict> verdicts_;
};

// Side by side: one that waits for a slow answer leaves its turns to the others. What only asks whether routes exist,
// and what stands behind the entries, comes after what uses them (an answer that is known need not be asked for), or
// when nothing but late answers is waited for.
void RunSuites(Scene* scene) {
  static const std::set<std::string> kOfHosts = {"listen", "process", "database", "disk", "tls"};
  static const std::set<std::string> kSurveys = {"client_calls", "dev_proxy"};
  const v1::SystemModel& system = scene->input.system;
  // The derived one asks for most: first.
  std::vector<v1::Suite> suites = {DerivedSuite(*scene)};
  suites.insert(suites.end(), system.suites().begin(),
                system.suites().begin() + std::min(system.suites_size(), kMaxSuites));
  suites.push_back(TakeSteps(kOfHosts, "what the hosts show", &suites[0]));
  v1::Suite surveys, cors;
  for (v1::Suite& suite : suites) {
    surveys.MergeFrom(TakeSteps(kSurveys, suite.name(), &suite));
    cors.MergeFrom(TakeSteps({"cors"}, suite.name(), &suite));
    scene->input.progress(fmt::format("running {}", suite.name()));
  }
  InnerEndpoints inner(scene);
  // The surveys and what browsers ask.
  constexpr size_t kLate = 2;
  std::vector<v1::Verdict> verdicts(suites.size() + kLate);
  std::atomic<size_t> open = suites.size() + kLate;
  const auto run = [&](size_t i, v1::Suite suite) {
    verdicts[i] = Evaluate(scene, system, std::move(suite));
    --open;
  };
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < suites.size(); ++i) {
      threads.emplace_back([&, i] { run(i, std::move(suites[i])); });
    }
    scene->http.WaitUntilIdle(kIdle, [&] { return open == kLate; });
    threads.emplace_back([&] { run(suites.size(), std::move(cors)); });
    threads.emplace_back([&] { run(suites.size() + 1, std::move(surveys)); });
    scene->http.WaitUntilIdle(kIdle, [&] { return open == 0; });
    inner.Ask();
  }
  for (const v1::Verdict& verdict : verdicts) Take(scene, verdict);
  inner.TakeResults();
}

// What works clears its component.
void RuleOut(Scene* scene) {
  std::map<std::string, std::pair<int, int>> by_service;
  for (const v1::CheckResult& result : scene->results) {
    if (result.status() == v1::CHECK_STATUS_SKIPPED) continue;
    auto& [passed, all] = by_service[result.service()];
    ++all;
    if (!Blocks(result)) ++passed;
  }
  for (const auto& [service, counts] : by_service) {
    if (service.empty() || counts.first != counts.second) continue;
    scene->ruled_out.push_back(fmt::format("{}: healthy, {} of {} checks pass", service, counts.first, counts.second));
  }
}

}  // namespace

void Observe(Scene* scene) {
  scene->input.progress("reading sources and configuration");
  ReadClients(scene);
  ReadNginx(scene);
  std::vector<Probe> open = Probes();
  // The checks take longest: first.
  open.insert(open.begin(), {"Suites", RunSuites});
  std::atomic<size_t> next = 0;
  std::vector<std::thread> threads;
  for (size_t i = 0; i < std::min(kMaxParallelProbes, open.size()); ++i) {
    threads.emplace_back([&] {
      for (size_t taken = next++; taken < open.size(); taken = next++) {
        if (!scene->input.cancelled()) open[taken].run(scene);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Probe& late : LateProbes()) {
    if (!scene->input.cancelled()) late.run(scene);
  }
  RuleOut(scene);
}

}  // namespace omnix
