// For tests: a shop in a temporary folder (a real nginx, a backend, client files, a git repository), and its diagnosis.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

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

// A program that is killed with the test.
class Program {
 public:
  explicit Program(const std::vector<std::string>& argv) {
    std::vector<char*> arguments;
    for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    EXPECT_EQ(posix_spawnp(&pid_, arguments[0], nullptr, nullptr, arguments.data(), environ), 0) << argv[0];
  }
  ~Program() { Stop(); }
  void Stop() {
    if (pid_ <= 0) return;
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_ = -1;
};

constexpr char kBackend[] = R"(
import base64, hashlib, http.server, json, sys, time
routes = sys.argv[2].split(',')
allowed = json.load(open(sys.argv[3]))['security']['origins'] if len(sys.argv) > 3 else None
class H(http.server.BaseHTTPRequestHandler):
    def answer(self, status):
        body = b'{"ok": true}'
        self.send_response(status)
        if allowed is not None and self.headers.get('Origin') in allowed:
            self.send_header('Access-Control-Allow-Origin', self.headers['Origin'])
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if self.command != 'HEAD': self.wfile.write(body)
    def upgrade(self):
        key = self.headers['Sec-WebSocket-Key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
        self.protocol_version = 'HTTP/1.1'
        self.send_response(101)
        self.send_header('Upgrade', 'websocket')
        self.send_header('Connection', 'Upgrade')
        self.send_header('Sec-WebSocket-Accept', base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers()
        self.connection.recv(1000)
        self.close_connection = True
    def do_GET(self):
        if self.path == '/slow': time.sleep(0.8)
        if self.path == '/live':
            if self.headers.get('Upgrade') == 'websocket': self.upgrade()
            else: self.answer(426)
            return
        self.answer(200 if self.path.split('?')[0] in routes else 404)
    do_HEAD = do_GET
    def do_OPTIONS(self): self.answer(204)
    def log_message(self, *a): pass
http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), H).serve_forever()
)";

class DiagnosedShop : public testing::Test {
 protected:
  DiagnosedShop()
      : folder_(std::filesystem::canonical(testing::TempDir()).string() + "/diagnose-" + RandomHex(6)),
        gateway_port_(FreePort()),
        backend_port_(FreePort()) {
    for (const char* sub : {"/logs", "/tmp", "/gw", "/web"}) std::filesystem::create_directories(folder_ + sub);
    Write("backend.py", kBackend);
    Git({"init", "-q", "."});
    investigation_.now = absl::Now();
    investigation_.started_at = absl::Now();
    investigation_.report = [this](const v1::Evidence& evidence) { evidence_.push_back(evidence); };
  }
  ~DiagnosedShop() override {
    programs_.clear();
    std::filesystem::remove_all(folder_);
  }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  void Write(const std::string& name, const std::string& text) { std::ofstream(Path(name)) << text; }
  void Git(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"git", "-c", "user.name=Ann", "-c", "user.email=ann@shop.example"});
    ProcessOptions options;
    options.cwd = folder_;
    const auto result = RunProcess(arguments, options);
    ASSERT_TRUE(result.ok() && result->exit_code == 0) << (result.ok() ? result->err : result.status().ToString());
  }
  void Commit(const std::string& subject) {
    Git({"add", "gw", "web"});
    Git({"commit", "-q", "-m", subject});
  }

  void WriteNginx(const std::string& locations, const std::string& http = "") {
    Write("gw/nginx.conf", fmt::format(R"(daemon off;
pid {0}/tmp/nginx.pid;
error_log {0}/logs/error.log;
events {{ }}
http {{
    access_log {0}/logs/access.log;
    client_body_temp_path {0}/tmp; proxy_temp_path {0}/tmp; fastcgi_temp_path {0}/tmp; uwsgi_temp_path {0}/tmp; scgi_temp_path {0}/tmp;
{3}
    server {{
        listen 127.0.0.1:{1};
{2}
    }}
}}
)",
                                       folder_, gateway_port_, locations, http));
  }

  void WaitForPort(int port) {
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    while (absl::Now() < deadline) {
      if (TryConnect({"127.0.0.1", std::to_string(port)}, absl::Seconds(1)).ok()) return;
      std::this_thread::yield();
    }
    FAIL() << "nothing listens on " << port;
  }

  void StartBackend(const std::string& routes, const std::string& config = "") {
    std::vector<std::string> argv = {"python3", Path("backend.py"), std::to_string(backend_port_), routes};
    if (!config.empty()) argv.push_back(config);
    programs_.push_back(std::make_unique<Program>(argv));
    WaitForPort(backend_port_);
  }
  void StartNginx() {
    programs_.push_back(std::make_unique<Program>(std::vector<std::string>{
        "/usr/sbin/nginx", "-p", folder_, "-e", Path("logs/error.log"), "-c", Path("gw/nginx.conf")}));
    WaitForPort(gateway_port_);
  }

  v1::Service* AddService(const std::string& name, const std::string& kind, int port,
                          const std::vector<std::string>& paths) {
    v1::Service* service = investigation_.system.add_services();
    service->set_name(name);
    service->set_kind(kind);
    service->set_base_url(fmt::format("http://127.0.0.1:{}", port));
    for (const std::string& path : paths) service->add_endpoints()->set_path(path);
    return service;
  }

  // Gateway "edge" before "shop-api", a client "web", three origins.
  void Model(const std::vector<std::string>& gateway_paths, const std::vector<std::string>& backend_paths) {
    v1::Service* edge = AddService("edge", "gateway", gateway_port_, gateway_paths);
    edge->add_depends_on("shop-api");
    edge->add_config_files()->set_path(Path("gw/nginx.conf"));
    edge->mutable_config_files(0)->set_format("nginx");
    AddService("shop-api", "backend", backend_port_, backend_paths);
    v1::Client* client = investigation_.system.add_clients();
    client->set_name("web");
    client->set_service("edge");
    client->add_files(Path("web/httpClient.js"));
    v1::Repository* repository = investigation_.system.add_repositories();
    repository->set_name("shop");
    repository->set_path(folder_);
  }
  void AddOrigins() {
    for (const auto& [name, url] :
         std::vector<std::pair<std::string, std::string>>{{"production", "https://shop.example"},
                                                          {"staging", "https://staging.shop.example"},
                                                          {"development", "http://localhost:5173"}}) {
      v1::Origin* origin = investigation_.system.add_origins();
      origin->set_name(name);
      origin->set_url(url);
    }
  }

  v1::Diagnosis Run() {
    const auto diagnosis = Diagnose(investigation_);
    EXPECT_TRUE(diagnosis.ok()) << diagnosis.status();
    return diagnosis.ok() ? *diagnosis : v1::Diagnosis();
  }

  static std::vector<std::string> Kinds(const v1::Diagnosis& diagnosis) {
    std::vector<std::string> kinds;
    for (const v1::Hypothesis& h : diagnosis.hypotheses()) kinds.push_back(h.kind());
    return kinds;
  }
  static const v1::Hypothesis& Find(const v1::Diagnosis& diagnosis, const std::string& kind) {
    static const v1::Hypothesis none;
    for (const v1::Hypothesis& h : diagnosis.hypotheses()) {
      if (h.kind() == kind) return h;
    }
    return none;
  }
  static const v1::Remedy& Taken(const v1::Diagnosis& diagnosis, int explanation, const std::string& kind) {
    static const v1::Remedy none;
    const v1::Hypothesis& h = Find(diagnosis, kind);
    for (const v1::Cause& cause : diagnosis.explanations(explanation).causes()) {
      for (const v1::Remedy& remedy : h.remedies()) {
        if (cause.hypothesis_id() == h.id() && cause.remedy_id() == remedy.id()) return remedy;
      }
    }
    return none;
  }
  static std::string Text(const v1::Action& action, const std::string& key) {
    return action.with().fields().count(key) > 0 ? action.with().fields().at(key).string_value() : "";
  }

  const std::string folder_;
  const int gateway_port_;
  const int backend_port_;
  Case investigation_;
  std::vector<v1::Evidence> evidence_;
  std::vector<std::unique_ptr<Program>> programs_;
};

}  // namespace omnix
