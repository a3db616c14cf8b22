#include <re2/re2.h>

#include <algorithm>
#include <set>

#include "agents/checks/check.h"
#include "agents/investigation/observe_logs.h"
#include "agents/investigation/scene.h"
#include "agents/sources/access_log.h"
#include "common/file.h"
#include "common/status.h"
#include "common/time.h"
#include "fmt/format.h"

namespace omnix {
namespace {

// Changes older than this before the trouble are not looked at.
constexpr absl::Duration kHistory = absl::Hours(24 * 14);
constexpr absl::Duration kLogWindow = absl::Hours(2);
constexpr size_t kMaxChanges = 60;
constexpr size_t kMaxSymptoms = 100;

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

// Files whose changes matter: those that the model names and what they include.
std::set<std::string> WatchedFiles(const Scene& scene) {
  std::set<std::string> files;
  for (const ClientFacts& client : scene.clients) {
    files.insert(client.calls.files.begin(), client.calls.files.end());
    if (client.dev) files.insert(client.dev->files.begin(), client.dev->files.end());
  }
  for (const v1::Service& service : scene.input.system.services()) {
    for (const v1::ConfigFile& file : service.config_files()) files.insert(file.path());
  }
  for (const NginxFacts& nginx : scene.nginx) {
    if (nginx.config) files.insert(nginx.config->files.begin(), nginx.config->files.end());
  }
  return files;
}

void ReadHistory(Scene* scene) {
  const absl::Time since =
      std::min(scene->input.now, std::max(scene->input.started_at, scene->input.now - kHistory)) - kHistory;
  const std::set<std::string> watched = WatchedFiles(*scene);
  std::set<std::string> seen;
  for (const v1::Repository& repository : scene->input.system.repositories()) {
    const auto commits = GitLog(repository.path(), since);
    if (!commits.ok()) {
      scene->book.Add(MakeEvidence("git_history", repository.name(), Message(commits.status())));
      continue;
    }
    for (const GitCommit& commit : *commits) {
      for (const std::string& file : commit.files) {
        if (watched.count(file) == 0 || scene->changes.size() >= kMaxChanges) continue;
        auto hunks = GitChange(repository.path(), commit.hash, file);
        if (!hunks.ok()) continue;
        Change change{repository.path(), commit, file, *std::move(hunks), "", seen.insert(file).second};
        std::string excerpt;
        for (const GitHunk& hunk : change.hunks) {
          for (const std::string& line : hunk.removed) excerpt += "-" + line + "\n";
          for (const std::string& line : hunk.added) excerpt += "+" + line + "\n";
        }
        v1::Location location;
        location.set_file(file);
        location.set_line(change.hunks.empty() ? 0 : change.hunks[0].line);
        change.evidence =
            scene->book.Add(MakeEvidence("git_history", repository.name(),
                                         fmt::format("{} {}: \"{}\" by {} changed {}", omnix::FormatTime(commit.time),
                                                     commit.hash.substr(0, 10), commit.subject, commit.author, file),
                                         excerpt, location, {{"commit", commit.hash}, {"file", file}}));
        scene->changes.push_back(std::move(change));
      }
    }
  }
}

void ReadLogs(Scene* scene) {
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

// What the suites don't ask: every client's calls, and, where there are no suites at all, endpoints, origins, processes
// and ports.
v1::Suite DerivedSuite(const Scene& scene) {
  v1::Suite suite;
  suite.set_name("derived from the system model");
  const v1::SystemModel& system = scene.input.system;
  auto add = [&](const std::string& kind, const std::string& service) {
    v1::Check* check = suite.add_steps();
    check->set_name(kind + " of " + service);
    check->set_kind(kind);
    check->set_service(service);
    return check;
  };
  std::set<std::string> called;
  for (const ClientFacts& facts : scene.clients) {
    if (facts.gateway == nullptr || facts.gateway->base_url().empty() || facts.calls.calls.empty()) continue;
    called.insert(facts.gateway->name());
    if (facts.dev && !HasStep(system, "dev_proxy", "", facts.client->name())) {
      v1::Check* dev = add("dev_proxy", facts.client->name());
      dev->set_service(facts.gateway->name());
      (*dev->mutable_with()->mutable_fields())["client"].set_string_value(facts.client->name());
    }
    if (HasStep(system, "client_calls", "", facts.client->name())) continue;
    v1::Check* check = add("client_calls", facts.client->name());
    check->set_service(facts.gateway->name());
    (*check->mutable_with()->mutable_fields())["client"].set_string_value(facts.client->name());
  }
  for (const v1::Service& service : system.services()) {
    if (called.count(service.name()) > 0 && system.origins_size() > 0 && !HasStep(system, "cors", service.name(), ""))
      add("cors", service.name());
    if (system.suites_size() > 0) continue;
    if (service.endpoints_size() > 0 && !service.base_url().empty()) add("endpoints", service.name());
    if (service.listen_size() > 0) add("listen", service.name());
    if (service.has_process()) add("process", service.name());
  }
  return suite;
}

void RunSuites(Scene* scene) {
  std::vector<v1::Suite> suites(scene->input.system.suites().begin(), scene->input.system.suites().end());
  suites.push_back(DerivedSuite(*scene));
  for (v1::Suite& suite : suites) {
    if (suite.steps_size() == 0) continue;
    suite.clear_stability();
    scene->input.progress(fmt::format("running {}", suite.name()));
    CheckContext context{.system = scene->input.system,
                         .variables = {suite.variables().begin(), suite.variables().end()},
                         .cancelled = scene->input.cancelled};
    const v1::Verdict verdict = RunSuite(suite, context);
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
  ReadHistory(scene);
  ReadLogs(scene);
  ReadLogChanges(scene);
  RunSuites(scene);
  RuleOut(scene);
}

}  // namespace omnix
