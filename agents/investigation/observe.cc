#include <re2/re2.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

#include "agents/checks/check.h"
#include "agents/investigation/probe.h"
#include "agents/investigation/scene.h"
#include "agents/investigation/users_requests.h"
#include "common/file.h"
#include "common/status.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr size_t kMaxParallelProbes = 6;

void ReadClients(Scene* scene) {
  for (const v1::Client& client : scene->input.system.clients()) {
    ClientFacts facts;
    facts.client = &client;
    facts.gateway = scene->FindService(client.service());
    absl::StatusOr<ClientCalls> calls = ReadClientCalls(client);
    if (calls.ok()) {
      facts.calls = *std::move(calls);
      const Literal base = facts.calls.bases.empty() ? Literal() : facts.calls.bases[0];
      const std::string unknown =
          facts.calls.unknown_calls == 0
              ? ""
              : fmt::format("; {} more with a base that is computed at run time", facts.calls.unknown_calls);
      facts.evidence = scene->book.Add(
          MakeEvidence("client_source", client.name(),
                       fmt::format("{} makes {} calls; base path {}{}", client.name(), facts.calls.calls.size(),
                                   facts.calls.base_path.empty() ? "none" : facts.calls.base_path, unknown),
                       base.line_text, base.location, {{"base", facts.calls.base_path}}));
    } else {
      scene->book.Add(MakeEvidence("client_source", client.name(), Message(calls.status())));
    }
    if (client.dev_proxy_files_size() > 0) {
      absl::StatusOr<DevProxy> dev = ReadDevProxy({client.dev_proxy_files().begin(), client.dev_proxy_files().end()});
      if (dev.ok()) {
        facts.dev = *std::move(dev);
        facts.dev_calls = ReadDevelopmentCalls(client).value_or(facts.calls);
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

// By the declared format; else by the name; else by what the file says: a block that only nginx has, and statements
// that end as nginx' do.
bool IsNginx(const v1::ConfigFile& file) {
  if (!file.format().empty()) return file.format() == "nginx";
  const std::string name = file.path().substr(file.path().rfind('/') + 1);
  const bool plain = name.ends_with(".conf") || name.find('.') == std::string::npos;
  if (!plain) return false;
  if (file.path().find("nginx") != std::string::npos) return true;
  static const RE2 kBlock("(?m)^\\s*(?:http|server|upstream|location|map|events)\\b[^;{}]*\\{");
  static const RE2 kStatement("(?m);\\s*(?:[}#]|$)");
  const auto text = ReadFile(file.path());
  return text.ok() && RE2::PartialMatch(*text, kBlock) && RE2::PartialMatch(*text, kStatement);
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
  LearnFromUsers(scene);
  const std::vector<Probe>& open = Probes();
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
