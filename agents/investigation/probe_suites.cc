// The suites of the system model, and what they lack.
#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "agents/investigation/derived_suite.h"
#include "agents/investigation/evaluate_suite.h"
#include "agents/investigation/inner_endpoints.h"
#include "agents/investigation/probe.h"
#include "fmt/format.h"

namespace omnix {
namespace {

// So long without a request or an answer, and what is open is late.
constexpr absl::Duration kIdle = absl::Milliseconds(600);
constexpr int kMaxSuites = 32;

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

}  // namespace

// Side by side: one that waits for a slow answer leaves its turns to the others. What only asks whether routes exist,
// and what stands behind the entries, comes after what uses them (an answer that is known need not be asked for), or
// when nothing but late answers is waited for.
void ProbeSuites(Scene* scene) {
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
    verdicts[i] = EvaluateSuite(scene, system, std::move(suite));
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
  for (const v1::Verdict& verdict : verdicts) TakeVerdict(scene, verdict);
  inner.TakeResults();
}

}  // namespace omnix
