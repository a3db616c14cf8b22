// For tests: a small real system in a temporary folder with a git repository: programs on free ports, their
// configuration and logs, and its diagnosis.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "agents/checks/socket.h"
#include "agents/investigation/diagnose.h"
#include "common/hash.h"
#include "common/process.h"
#include "fmt/format.h"
#include "tests/support/free_port.h"

extern char** environ;

namespace omnix {

class FaultySystem : public testing::Test {
 protected:
  FaultySystem() : folder_(std::filesystem::canonical(testing::TempDir()).string() + "/faulty-" + RandomHex(6)) {
    std::filesystem::create_directories(folder_);
    Git({"init", "-q", "."});
    case_.now = absl::Now();
    case_.started_at = absl::Now();
    case_.remaining = [] { return absl::Seconds(60); };
    v1::Repository* repository = case_.system.add_repositories();
    repository->set_name("code");
    repository->set_path(folder_);
  }
  ~FaultySystem() override {
    for (const pid_t pid : pids_) {
      kill(pid, SIGCONT);
      kill(pid, SIGKILL);
      waitpid(pid, nullptr, 0);
    }
    std::filesystem::remove_all(folder_);
  }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  void Write(const std::string& name, const std::string& text) const { std::ofstream(Path(name)) << text; }
  static std::string Now() { return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::Now(), absl::UTCTimeZone()); }
  void Git(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"git", "-c", "user.name=Ann", "-c", "user.email=ann@shop.example"});
    ProcessOptions options;
    options.cwd = folder_;
    const auto result = RunProcess(arguments, options);
    ASSERT_TRUE(result.ok() && result->exit_code == 0) << (result.ok() ? result->err : result.status().ToString());
  }
  void Commit(const std::string& subject) {
    Git({"add", "."});
    Git({"commit", "-q", "-m", subject});
  }

  pid_t Start(const std::vector<std::string>& argv) {
    std::vector<char*> arguments;
    for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    pid_t pid = -1;
    EXPECT_EQ(posix_spawnp(&pid, arguments[0], nullptr, nullptr, arguments.data(), environ), 0) << argv[0];
    pids_.push_back(pid);
    return pid;
  }
  static void WaitForPort(int port) {
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (!TryConnect({"127.0.0.1", std::to_string(port)}, absl::Seconds(1)).ok() && absl::Now() < deadline)
      std::this_thread::yield();
  }
  // An HTTP server whose handler is `body` of def do_GET(self); self.answer(status, text) answers.
  pid_t Serve(int port, const std::string& body, const std::string& before = "") {
    const std::string script = Path(fmt::format("serve-{}.py", port));
    std::ofstream(script) << "import http.server, json, sys, time, socketserver\n"
                          << before << R"(
class H(http.server.BaseHTTPRequestHandler):
    def answer(self, status, text='{}'):
        self.send_response(status)
        self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())
    def log_message(self, *a): pass
    def do_GET(self):
)" << body << fmt::format("\nhttp.server.ThreadingHTTPServer(('127.0.0.1', {}), H).serve_forever()\n", port);
    const pid_t pid = Start({"python3", script});
    WaitForPort(port);
    return pid;
  }

  v1::Service* AddService(const std::string& name, int port, const std::vector<std::string>& paths) {
    v1::Service* service = case_.system.add_services();
    service->set_name(name);
    service->set_base_url(fmt::format("http://127.0.0.1:{}", port));
    for (const std::string& path : paths) service->add_endpoints()->set_path(path);
    return service;
  }

  v1::Diagnosis Run() {
    // What the test has written is of the past: to start its servers took a while.
    case_.now = absl::Now();
    const auto diagnosis = Diagnose(case_);
    EXPECT_TRUE(diagnosis.ok()) << diagnosis.status();
    return diagnosis.ok() ? *diagnosis : v1::Diagnosis();
  }
  static v1::Hypothesis First(const v1::Diagnosis& diagnosis) {
    return diagnosis.hypotheses().empty() ? v1::Hypothesis() : diagnosis.hypotheses(0);
  }
  static std::string Text(const v1::Action& action, const std::string& key) {
    return action.with().fields().count(key) > 0 ? action.with().fields().at(key).string_value() : "";
  }
  // "kind component confidence title", one a line.
  static std::string All(const v1::Diagnosis& diagnosis) {
    std::string text;
    for (const v1::Hypothesis& h : diagnosis.hypotheses())
      text += fmt::format("{} {} {} {}\n", h.kind(), h.component(), h.confidence(), h.title());
    for (const v1::Symptom& s : diagnosis.symptoms())
      text += fmt::format("  {} {} {}\n", s.id(), s.component(), s.summary());
    return text;
  }

  const std::string folder_;
  Case case_;

 private:
  std::vector<pid_t> pids_;
};

}  // namespace omnix
