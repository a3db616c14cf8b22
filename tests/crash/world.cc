#include "tests/crash/world.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <sstream>

namespace omnix::testing {
namespace {

constexpr char kPlaybook[] = R"(
name: crash
budget: 10m
max_recoveries: 3
investigating:
  - {name: diagnose, type: script.diagnose, timeout: 20s, attempts: 20, backoff: 20ms, input: '{service: .incident.alerts[0].subject, system}'}
recovering:
  - {name: plan, type: recovery.plan, timeout: 20s, attempts: 20, backoff: 20ms, input: '{incident_id: .incident.id, system, explanation, hypotheses}'}
  - {name: apply, type: recovery.apply, needs: [plan], approval: true, timeout: 20s, attempts: 20, backoff: 20ms, input: '{incident_id: .incident.id, system, plan, approval}'}
validating:
  - {name: validate, type: script.validate, timeout: 20s, attempts: 20, backoff: 20ms, input: '{service: .incident.alerts[0].subject, system}'}
rollback:
  - {name: rollback, type: recovery.rollback, timeout: 20s, attempts: 20, backoff: 20ms, input: '{incident_id: .incident.id, system, plan}'}
documenting:
  - {name: report, type: witness.report, timeout: 2m, attempts: 20, backoff: 20ms}
)";

constexpr char kPolicy[] = R"(
name: crash
rules:
  - {name: reloads, when: '.plan.risk == "RISK_LOW"', decision: auto, reason: nothing but a reload}
  - {name: the rest, decision: ask}
)";

constexpr size_t kLogBytes = 3000;

}  // namespace

std::string ProgramPath(const std::string& program) {
  const std::string folder = OMNIX_CRASH_FOLDER;
  if (program == kOmnixd) return folder + "/omnixd-with-crash-points";
  if (program == kRecovery) return folder + "/omnix-recovery-agent-with-crash-points";
  return folder + "/crash_script_agent";
}

CrashWorld::CrashWorld() : grpc_port_(FreePort()), http_port_(FreePort()) {
  std::filesystem::create_directories(folder_ / "log");
  std::filesystem::create_directories(folder_ / "data");
  for (const auto& service : kServices) Spill(File(service), "mode=old\n");
  WriteSystem();
  WritePlaybook();
  WatchFiles();
}

CrashWorld::~CrashWorld() {
  if (inotify_ >= 0) close(inotify_);
}

void CrashWorld::WriteSystem() {
  std::string system = "name: crash\nservices:\n";
  for (const auto& service : kServices) {
    system += fmt::format("  - name: {0}\n    config_files: [{{path: '{1}', reload: reload}}]\n    commands:\n",
                          service, File(service));
    // Each leaves a line with one write; the test of the configuration refuses what is broken.
    for (const std::string command : {"test_config", "reload", "notify"}) {
      const std::string refuse = command == "test_config" ? fmt::format("; ! grep -q broken {}", File(service)) : "";
      const std::string argv =
          fmt::format("[/bin/sh, -c, 'echo {} {} >> {}/commands{}']", command, service, folder_.path(), refuse);
      system += fmt::format("      {}: {{argv: {}}}\n", command, argv);
      allowed_commands_ += fmt::format("  - argv: {}\n", argv);
    }
  }
  Spill(folder_ / "system.yaml", system);
}

std::string CrashWorld::WriteRecoveryConfig(const std::string& host) const {
  const std::string path = folder_ / (host + ".yaml");
  Spill(path, fmt::format("allowed_paths: ['{0}/srv']\nstate_dir: '{0}/state-{1}'\nallowed_commands:\n{2}",
                          folder_.path(), host, allowed_commands_));
  return path;
}

void CrashWorld::WritePlaybook() {
  Spill(folder_ / "playbooks/crash.yaml", kPlaybook);
  Spill(folder_ / "policy.yaml", kPolicy);
}

void CrashWorld::WatchFiles() {
  inotify_ = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  ASSERT_GE(inotify_, 0) << std::strerror(errno);
  // Each replacement of a file is one rename onto its name. The other half of the rename is watched as well, since the
  // kernel takes equal events that follow each other as one.
  const uint32_t renames = IN_MOVED_TO | IN_MOVED_FROM;
  ASSERT_GE(inotify_add_watch(inotify_, (folder_ / "srv").c_str(), renames), 0) << std::strerror(errno);
}

std::string CrashWorld::grpc_address() const { return "127.0.0.1:" + std::to_string(grpc_port_); }
std::string CrashWorld::http_url() const { return "http://127.0.0.1:" + std::to_string(http_port_); }

void CrashWorld::Start(const std::string& program, const Environment& environment, const std::string& name,
                       const std::string& host) {
  const std::string own_name = name.empty() ? program : name;
  std::vector<std::string> argv = {ProgramPath(program)};
  auto add = [&](std::initializer_list<std::string> more) { argv.insert(argv.end(), more); };
  if (program == kOmnixd) {
    add({"--data", folder_ / "data", "--grpc", grpc_address(), "--http", "127.0.0.1:" + std::to_string(http_port_)});
    add({"--system", folder_ / "system.yaml", "--policy", folder_ / "policy.yaml", "--playbooks",
         folder_ / "playbooks"});
    add({"--heartbeat", "200ms", "--lease", "2s"});
  } else {
    add({"--orchestrator", grpc_address(), "--name", own_name});
    if (program == kRecovery) add({"--config", WriteRecoveryConfig(host)});
  }
  programs_[own_name] = Program(argv, folder_ / ("log/" + own_name), environment);
}

void CrashWorld::Stop() {
  for (auto& [name, program] : programs_) {
    if (name != kOmnixd) program.Kill();
  }
  programs_[kOmnixd].Terminate();
}

int CrashWorld::Writes(const std::string& service) {
  alignas(inotify_event) std::array<char, 1 << 14> buffer;
  for (ssize_t got = 0; (got = read(inotify_, buffer.data(), buffer.size())) > 0;) {
    for (ssize_t at = 0; at < got;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      if ((event->mask & IN_MOVED_TO) != 0) ++writes_[event->name];
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
    }
  }
  return writes_[service + ".conf"];
}

int CrashWorld::Commands(const std::string& service, const std::string& command) const {
  std::istringstream lines(Slurp(folder_ / "commands"));
  int count = 0;
  for (std::string line; std::getline(lines, line);) count += line == command + " " + service;
  return count;
}

std::string CrashWorld::Logs() const {
  std::string logs;
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "log")) {
    const std::string text = Slurp(entry.path().string());
    logs +=
        "--- " + entry.path().filename().string() + "\n" + text.substr(text.size() - std::min(text.size(), kLogBytes));
  }
  return logs;
}

}  // namespace omnix::testing
