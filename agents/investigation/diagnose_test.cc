// Diagnoses of real systems: a real nginx, a backend, client files and a git repository in a temporary folder.
#include "agents/investigation/diagnose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "agents/checks/socket.h"
#include "agents/investigation/summary.h"
#include "common/file.h"
#include "common/hash.h"
#include "common/process.h"
#include "fmt/format.h"
#include "tests/support/free_port.h"

extern char** environ;

namespace omnix {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAre;

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

class DiagnoseTest : public testing::Test {
 protected:
  DiagnoseTest()
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
  ~DiagnoseTest() override {
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

constexpr char kClient[] = R"(const BASE_URL = '/v1';

async function request(path, options) {
  return fetch(`${BASE_URL}${path}`, options);
}
export const products = () => request('/products');
export const orders = () => request('/orders');
)";

std::string CorsLocations(int backend) {
  std::string text;
  for (const char* route : {"products", "orders"}) {
    text += fmt::format(
        "        location /{} {{\n            add_header Access-Control-Allow-Origin $cors_origin always;\n            "
        "if ($request_method = OPTIONS) {{ add_header Access-Control-Allow-Origin $cors_origin always; return 204; }}\n"
        "            proxy_pass http://127.0.0.1:{};\n        }}\n",
        route, backend);
  }
  return text;
}

constexpr char kCorsMap[] =
    "    map $http_origin $cors_origin {\n        default \"\";\n        \"https://shop.example\" $http_origin;\n    "
    "}\n";

// (a) The frontend calls with a prefix that the gateway does not serve, two origins are missing, the development proxy
// hides it.
TEST_F(DiagnoseTest, ThreeCausesInOneExplanation) {
  Model({"/products", "/orders"}, {"/products", "/orders"});
  AddOrigins();
  WriteNginx(CorsLocations(backend_port_), kCorsMap);
  Write("web/httpClient.js", kClient);
  Write("web/vite.config.js",
        fmt::format("export default {{\n  server: {{\n    proxy: {{\n      '/v1': {{ target: 'http://127.0.0.1:{}', "
                    "rewrite: (path) => path.replace(/^\\/v1/, '') }},\n    }},\n  }},\n}};\n",
                    gateway_port_));
  investigation_.system.mutable_clients(0)->add_dev_proxy_files(Path("web/vite.config.js"));
  Commit("Call the versioned paths");
  StartBackend("/products,/orders");
  StartNginx();

  const v1::Diagnosis diagnosis = Run();
  EXPECT_THAT(Kinds(diagnosis),
              UnorderedElementsAre("route.prefix_mismatch", "cors.origin_missing", "proxy.dev_mismatch"))
      << diagnosis.summary();
  ASSERT_GE(diagnosis.explanations_size(), 2) << diagnosis.DebugString();
  EXPECT_EQ(diagnosis.explanations(0).causes_size(), 3);
  EXPECT_EQ(diagnosis.explanations(0).symptom_ids_size(), diagnosis.symptoms_size()) << diagnosis.DebugString();
  EXPECT_GT(diagnosis.explanations(0).confidence(), 0.8);
  EXPECT_LT(diagnosis.explanations(0).confidence(), 1.0);

  const v1::Hypothesis& route = Find(diagnosis, "route.prefix_mismatch");
  EXPECT_EQ(route.component(), "web");
  EXPECT_EQ(route.location().file(), Path("web/httpClient.js"));
  EXPECT_EQ(route.location().line(), 1u);
  const v1::Remedy& client = Taken(diagnosis, 0, "route.prefix_mismatch");
  ASSERT_EQ(client.actions_size(), 1);
  EXPECT_EQ(Text(client.actions(0), "old"), "'/v1'");
  EXPECT_EQ(Text(client.actions(0), "new"), "''");
  const v1::Remedy& cors = Taken(diagnosis, 0, "cors.origin_missing");
  ASSERT_EQ(cors.actions_size(), 1);
  EXPECT_EQ(cors.actions(0).kind(), "file.insert_lines");
  EXPECT_EQ(cors.actions(0).with().fields().at("lines").list_value().values_size(), 2);
  EXPECT_EQ(Text(cors.actions(0), "after_text"), "        \"https://shop.example\" $http_origin;");
  const v1::Remedy& dev = Taken(diagnosis, 0, "proxy.dev_mismatch");
  ASSERT_EQ(dev.actions_size(), 1);
  EXPECT_EQ(Text(dev.actions(0), "old"), "'/v1'");
  EXPECT_EQ(Text(dev.actions(0), "new"), "'^/(orders|products)(?:[/?]|$)'");

  // The alternative mends the gateway, in its file's style, and the development proxy accordingly.
  const v1::Remedy& gateway = Taken(diagnosis, 1, "route.prefix_mismatch");
  EXPECT_EQ(gateway.side(), "gateway");
  EXPECT_EQ(gateway.actions(0).with().fields().at("lines").list_value().values(0).string_value(),
            "        location ^~ /v1/ {");
  EXPECT_EQ(Text(Taken(diagnosis, 1, "proxy.dev_mismatch").actions(0), "new"), "path");
  EXPECT_THAT(std::vector<std::string>(diagnosis.ruled_out().begin(), diagnosis.ruled_out().end()),
              Contains(HasSubstr("shop-api: healthy")));
  for (const v1::Hypothesis& h : diagnosis.hypotheses()) EXPECT_GT(h.evidence_for_size(), 0) << h.kind();

  // What was tried is not proposed again.
  investigation_.spent = {diagnosis.explanations(0).id()};
  const v1::Diagnosis again = Run();
  ASSERT_GE(again.explanations_size(), 1);
  EXPECT_EQ(again.explanations(0).id(), diagnosis.explanations(1).id());
}

// (b) A recent commit took the gateway's rewrite away: that side is mended first. (f) An innocent fresh commit is not
// blamed.
TEST_F(DiagnoseTest, GatewayThatLostItsRewrite) {
  Model({}, {"/catalog", "/basket"});
  const std::string proxy = fmt::format("            proxy_pass http://127.0.0.1:{};\n        }}\n", backend_port_);
  WriteNginx("        location /api/v2/ {\n            rewrite ^/api/v2/(.*)$ /$1 break;\n" + proxy +
             "        location / {\n" + proxy);
  Write("web/httpClient.js",
        "const api = axios.create({ baseURL: '/api/v2' });\napi.get('/catalog');\napi.get('/basket');\n");
  Write("web/notes.txt", "a\n");
  Commit("Begin");
  WriteNginx("        location / {\n" + proxy);
  Commit("Tidy up the gateway");
  Write("web/notes.txt", "b\n");
  Commit("Edit notes");
  StartBackend("/catalog,/basket");
  StartNginx();

  const v1::Diagnosis diagnosis = Run();
  ASSERT_THAT(Kinds(diagnosis), UnorderedElementsAre("route.prefix_mismatch")) << diagnosis.DebugString();
  const v1::Hypothesis& h = diagnosis.hypotheses(0);
  EXPECT_EQ(h.component(), "edge");
  EXPECT_EQ(h.remedies(0).side(), "gateway");
  EXPECT_EQ(h.remedies(0).actions(0).kind(), "git.revert");
  EXPECT_THAT(h.explanation(), HasSubstr("Tidy up the gateway"));
  EXPECT_THAT(h.explanation(), Not(HasSubstr("Edit notes")));
  ASSERT_GE(diagnosis.explanations_size(), 2);
  EXPECT_EQ(Taken(diagnosis, 1, "route.prefix_mismatch").side(), "client");

  // The owner's wish outranks the change.
  investigation_.system.add_prefer_sides("client");
  EXPECT_EQ(Run().hypotheses(0).remedies(0).side(), "client");
  // What nobody may edit gets no action.
  investigation_.system.mutable_clients(0)->set_editable(false);
  const v1::Diagnosis locked = Run();
  EXPECT_EQ(locked.hypotheses(0).remedies_size(), 1);
  EXPECT_EQ(locked.hypotheses(0).remedies(0).side(), "gateway");
}

// (c) A backend that is down is not blamed on routing.
TEST_F(DiagnoseTest, UpstreamDown) {
  Model({"/products", "/orders"}, {"/products"});
  WriteNginx(fmt::format("        location / {{ proxy_pass http://127.0.0.1:{}; }}\n", backend_port_));
  Write("web/httpClient.js", "fetch('/products');\nfetch('/orders');\n");
  Commit("Begin");
  v1::Command command;
  command.add_argv("true");
  (*investigation_.system.mutable_services(1)->mutable_commands())["restart"] = command;
  StartNginx();
  const v1::Diagnosis diagnosis = Run();
  ASSERT_THAT(Kinds(diagnosis), UnorderedElementsAre("service.process_down")) << diagnosis.DebugString();
  EXPECT_EQ(diagnosis.hypotheses(0).component(), "shop-api");
  EXPECT_EQ(diagnosis.hypotheses(0).remedies(0).actions(0).kind(), "command.run");
  EXPECT_EQ(diagnosis.explanations(0).symptom_ids_size(), diagnosis.symptoms_size());
}

// (d)
TEST_F(DiagnoseTest, NothingWrong) {
  Model({"/products", "/orders"}, {"/products", "/orders"});
  WriteNginx(
      fmt::format("        location /v1/ {{ proxy_pass http://127.0.0.1:{0}/; }}\n        location / {{ proxy_pass "
                  "http://127.0.0.1:{0}; }}\n",
                  backend_port_));
  Write("web/httpClient.js", kClient);
  Commit("Begin");
  StartBackend("/products,/orders");
  StartNginx();
  const v1::Diagnosis diagnosis = Run();
  EXPECT_TRUE(diagnosis.nothing_wrong()) << diagnosis.DebugString();
  EXPECT_EQ(diagnosis.hypotheses_size(), 0);
  EXPECT_EQ(diagnosis.explanations_size(), 0);
}

// The page of an error has no CORS headers, whatever the lists say: that it was answered is the fault.
TEST_F(DiagnoseTest, AnErrorWithoutCorsHeadersIsNoCorsFault) {
  Model({"/products", "/orders"}, {"/products", "/orders"});
  AddOrigins();
  WriteNginx("        location / { return 503; }\n");
  Write("web/httpClient.js", "fetch('/products');\nfetch('/orders');\n");
  StartBackend("/products,/orders");
  StartNginx();
  EXPECT_THAT(Kinds(Run()), testing::Not(testing::Contains("cors.origin_missing")));
}

// (e) Only CORS, and the list is the backend's.
TEST_F(DiagnoseTest, OriginsInTheBackendsJson) {
  Model({"/products", "/orders"}, {"/products", "/orders"});
  AddOrigins();
  Write("web/settings.json",
        "{\"name\": \"shop\", \"security\": {\"origins\": [\"https://shop.example\", "
        "\"https://staging.shop.example\"]}}\n");
  investigation_.system.mutable_services(1)->add_config_files()->set_path(Path("web/settings.json"));
  WriteNginx(fmt::format("        location / {{ proxy_pass http://127.0.0.1:{}; }}\n", backend_port_));
  Write("web/httpClient.js", "fetch('/products');\nfetch('/orders');\n");
  Commit("Begin");
  StartBackend("/products,/orders", Path("web/settings.json"));
  StartNginx();
  const v1::Diagnosis diagnosis = Run();
  ASSERT_THAT(Kinds(diagnosis), UnorderedElementsAre("cors.origin_missing")) << diagnosis.DebugString();
  const v1::Hypothesis& h = diagnosis.hypotheses(0);
  EXPECT_EQ(h.component(), "shop-api");
  ASSERT_EQ(h.remedies_size(), 1);
  EXPECT_EQ(h.remedies(0).side(), "backend");
  EXPECT_EQ(h.remedies(0).actions(0).kind(), "config.list_add");
  EXPECT_EQ(Text(h.remedies(0).actions(0), "pointer"), "/security/origins");
  const auto& values = h.remedies(0).actions(0).with().fields().at("values").list_value();
  ASSERT_EQ(values.values_size(), 1);
  EXPECT_EQ(values.values(0).string_value(), "http://localhost:5173");
}

// The gateway sends to a port where nothing listens; the service is alive elsewhere.
TEST_F(DiagnoseTest, StaleUpstreamAddress) {
  Model({"/products"}, {"/products"});
  const int stale = FreePort();
  WriteNginx(fmt::format("        location / {{\n            proxy_pass http://127.0.0.1:{};\n        }}\n", stale));
  Write("web/httpClient.js", "fetch('/products');\n");
  Commit("Begin");
  StartBackend("/products");
  StartNginx();
  const v1::Diagnosis diagnosis = Run();
  ASSERT_THAT(Kinds(diagnosis), UnorderedElementsAre("upstream.stale_address")) << diagnosis.DebugString();
  const v1::Action& action = diagnosis.hypotheses(0).remedies(0).actions(0);
  EXPECT_EQ(Text(action, "old"), fmt::format("127.0.0.1:{}", stale));
  EXPECT_EQ(Text(action, "new"), fmt::format("127.0.0.1:{}", backend_port_));
}

// The gateway's location drops the Upgrade; a neighbour that keeps it is left alone.
TEST_F(DiagnoseTest, WebSocketUpgradeLost) {
  Model({"/products"}, {"/products"});
  WriteNginx(fmt::format(
      "        location /live {{\n            proxy_pass http://127.0.0.1:{0};\n        }}\n        location / {{ "
      "proxy_pass http://127.0.0.1:{0}; }}\n",
      backend_port_));
  Write("web/httpClient.js", "fetch('/products');\nnew WebSocket(`wss://${location.host}/live`);\n");
  Commit("Begin");
  StartBackend("/products");
  StartNginx();
  const v1::Diagnosis diagnosis = Run();
  ASSERT_THAT(Kinds(diagnosis), UnorderedElementsAre("websocket.upgrade_lost")) << diagnosis.DebugString();
  const v1::Action& action = diagnosis.hypotheses(0).remedies(0).actions(0);
  EXPECT_EQ(action.kind(), "file.insert_lines");
  EXPECT_EQ(Text(action, "after_text"), fmt::format("            proxy_pass http://127.0.0.1:{};", backend_port_));
  EXPECT_EQ(action.with().fields().at("lines").list_value().values(1).string_value(),
            "            proxy_set_header Upgrade $http_upgrade;");
}

// The running gateway is well; the file on disk would not load.
TEST_F(DiagnoseTest, NginxSyntaxErrorOnDisk) {
  Model({"/products"}, {"/products"});
  WriteNginx(fmt::format("        location / {{ proxy_pass http://127.0.0.1:{}; }}\n", backend_port_));
  Write("web/httpClient.js", "fetch('/products');\n");
  Commit("Begin");
  StartBackend("/products");
  StartNginx();
  WriteNginx("        location / { return 200 }\n");
  Commit("Answer by hand");
  const v1::Diagnosis diagnosis = Run();
  ASSERT_THAT(Kinds(diagnosis), UnorderedElementsAre("nginx.syntax_error")) << diagnosis.DebugString();
  const v1::Hypothesis& h = diagnosis.hypotheses(0);
  EXPECT_EQ(h.location().file(), Path("gw/nginx.conf"));
  EXPECT_GT(h.location().line(), 8u);
  ASSERT_EQ(h.remedies_size(), 1);
  EXPECT_EQ(h.remedies(0).actions(0).kind(), "git.revert");
}

// A fault that no edit mends is named, and nothing is proposed.
TEST_F(DiagnoseTest, FullDiskIsNamed) {
  v1::Service* service = AddService("shop-api", "backend", backend_port_, {"/products"});
  StartBackend("/products");
  v1::Suite* suite = investigation_.system.add_suites();
  suite->set_name("disks");
  v1::Check* check = suite->add_steps();
  check->set_name("room");
  check->set_kind("disk");
  check->set_service("shop-api");
  service->add_disks()->set_path(folder_);
  service->mutable_disks(0)->set_min_free_percent(100);
  const v1::Diagnosis diagnosis = Run();
  ASSERT_THAT(Kinds(diagnosis), UnorderedElementsAre("disk.full")) << diagnosis.DebugString();
  EXPECT_EQ(diagnosis.explanations_size(), 0);
  EXPECT_GT(diagnosis.next_steps_size(), 0);
}

// A development proxy whose key a recent commit changed gets its former key back.
TEST_F(DiagnoseTest, FormerDevProxyKeyIsRestored) {
  Model({"/products", "/orders"}, {"/products", "/orders"});
  WriteNginx(fmt::format("        location / {{ proxy_pass http://127.0.0.1:{}; }}\n", backend_port_));
  Write("web/httpClient.js", "fetch('/products');\nfetch('/orders');\n");
  auto vite = [&](const std::string& key) {
    Write("web/vite.config.js",
          fmt::format("export default {{ server: {{ proxy: {{\n  '{}': 'http://127.0.0.1:{}',\n}} }} }};\n", key,
                      gateway_port_));
  };
  vite("^/(products|orders)");
  Commit("Begin");
  vite("/api");
  Commit("Change the proxy");
  investigation_.system.mutable_clients(0)->add_dev_proxy_files(Path("web/vite.config.js"));
  StartBackend("/products,/orders");
  StartNginx();
  const v1::Diagnosis diagnosis = Run();
  ASSERT_THAT(Kinds(diagnosis), UnorderedElementsAre("proxy.dev_mismatch")) << diagnosis.DebugString();
  ASSERT_EQ(diagnosis.explanations_size(), 1);
  EXPECT_EQ(Text(diagnosis.hypotheses(0).remedies(0).actions(0), "new"), "'^/(products|orders)'");
}

// In development the client has a base of its own, which the development proxy takes off, and one call goes to a host
// that is written out: both reach what production reaches.
TEST_F(DiagnoseTest, ADevelopmentBaseOfItsOwnIsNoMismatch) {
  Model({"/products", "/orders"}, {"/products", "/orders"});
  WriteNginx(fmt::format("        location / {{ proxy_pass http://127.0.0.1:{}; }}\n", backend_port_));
  Write("web/httpClient.js",
        "const base = location.hostname === 'localhost' ? '/backend' : 'https://api.example';\n"
        "fetch(`${base}/products`);\nfetch('https://api.example/orders');\n");
  Write(
      "web/webpack.config.js",
      fmt::format("module.exports = {{ devServer: {{ proxy: [{{ context: ['/backend'], target: 'http://127.0.0.1:{}', "
                  "pathRewrite: {{ '^/backend': '' }} }}] }} }};\n",
                  gateway_port_));
  investigation_.system.mutable_clients(0)->add_dev_proxy_files(Path("web/webpack.config.js"));
  StartBackend("/products,/orders");
  StartNginx();
  EXPECT_THAT(Kinds(Run()), testing::IsEmpty());
}

// A commit dropped one route of the gateway.
TEST_F(DiagnoseTest, GatewayThatLostARoute) {
  Model({"/products", "/orders"}, {"/products", "/orders"});
  const auto location = [&](const std::string& path) {
    return fmt::format("        location {} {{ proxy_pass http://127.0.0.1:{}; }}\n", path, backend_port_);
  };
  WriteNginx(location("/products") + location("/orders"));
  Write("web/httpClient.js", "fetch('/products');\nfetch('/orders');\n");
  Commit("Begin");
  WriteNginx(location("/products"));
  Commit("Remove what nobody uses");
  StartBackend("/products,/orders");
  StartNginx();
  const v1::Diagnosis diagnosis = Run();
  ASSERT_THAT(Kinds(diagnosis), UnorderedElementsAre("gateway.route_missing")) << diagnosis.DebugString();
  EXPECT_EQ(diagnosis.hypotheses(0).remedies(0).actions(0).kind(), "git.revert");
  EXPECT_EQ(diagnosis.explanations(0).symptom_ids_size(), diagnosis.symptoms_size());
}

class FakeContext : public TaskContext {
 public:
  explicit FakeContext(Json input) : input_(std::move(input)) {}
  const v1::LeaseId& lease() const override { return lease_; }
  const std::string& type() const override { return text_; }
  const Json& input() const override { return input_; }
  const std::string& idempotency_key() const override { return text_; }
  bool cancelled() const override { return cancelled_; }
  absl::Status MayAct() const override { return absl::OkStatus(); }
  absl::Duration remaining() const override { return absl::Minutes(1); }
  void Progress(const std::string&, uint32_t) override {}
  void Report(v1::Evidence) override { ++reported_; }
  std::shared_ptr<grpc::Channel> channel() const override { return nullptr; }

  Json input_;
  bool cancelled_ = false;
  int reported_ = 0;

 private:
  v1::LeaseId lease_;
  std::string text_;
};

TEST_F(DiagnoseTest, TaskReadsItsInputAndStops) {
  FakeContext none(Json::object());
  EXPECT_EQ(DiagnoseTask(none).status().code(), absl::StatusCode::kInvalidArgument);
  FakeContext bad(Json{{"system", {{"nonsense", 1}}}});
  EXPECT_EQ(DiagnoseTask(bad).status().code(), absl::StatusCode::kInvalidArgument);
  AddService("shop-api", "backend", backend_port_, {"/products"});
  StartBackend("/other");
  FakeContext good(Json{{"system", MessageToJsonValue(investigation_.system)},
                        {"incident", {{"started_at", "2025-09-04T07:14:03Z"}}},
                        {"spent", {"x-1"}}});
  const auto product = DiagnoseTask(good);
  ASSERT_TRUE(product.ok()) << product.status();
  EXPECT_EQ(product->diagnosis().symptoms_size(), 1);
  EXPECT_GT(good.reported_, 0);
  good.cancelled_ = true;
  EXPECT_EQ(DiagnoseTask(good).status().code(), absl::StatusCode::kCancelled);
}

TEST_F(DiagnoseTest, GatewayThatWaitsTooShortly) {
  Model({"/api/products", "/api/slow"}, {"/products", "/slow"});
  StartBackend("/products,/slow");
  WriteNginx(
      fmt::format("        proxy_read_timeout 500ms;\n        location /api/ {{ proxy_pass http://127.0.0.1:{}/; }}",
                  backend_port_));
  StartNginx();
  const v1::Diagnosis diagnosis = Run();
  ASSERT_GE(diagnosis.hypotheses_size(), 1);
  const v1::Hypothesis& h = diagnosis.hypotheses(0);
  EXPECT_EQ(h.kind(), "gateway.timeout_too_short");
  EXPECT_EQ(h.component(), "edge");
  EXPECT_EQ(h.location().file(), Path("gw/nginx.conf"));
  EXPECT_GT(h.location().line(), 0);
}

TEST_F(DiagnoseTest, GatewayThatRefusesWhatIsServedBehindIt) {
  Model({"/api/products"}, {"/products"});
  investigation_.system.mutable_services(0)->mutable_endpoints(0)->add_status(200);
  StartBackend("/products");
  WriteNginx(fmt::format("        location /api/ {{ deny all; proxy_pass http://127.0.0.1:{}/; }}", backend_port_));
  StartNginx();
  const v1::Diagnosis diagnosis = Run();
  ASSERT_GE(diagnosis.hypotheses_size(), 1);
  EXPECT_EQ(diagnosis.hypotheses(0).kind(), "gateway.rejects");
  EXPECT_THAT(diagnosis.hypotheses(0).title(), HasSubstr("deny all"));
}

TEST_F(DiagnoseTest, GatewayThatRedirectsInACircle) {
  Model({"/api/products"}, {"/products"});
  investigation_.system.mutable_services(0)->mutable_endpoints(0)->add_status(200);
  StartBackend("/products");
  WriteNginx(
      fmt::format("        location /api/ {{\n            if ($http_x_forwarded_proto != https) {{ return 301 $uri; "
                  "}}\n            proxy_pass http://127.0.0.1:{}/;\n        }}",
                  backend_port_));
  StartNginx();
  const v1::Diagnosis diagnosis = Run();
  ASSERT_GE(diagnosis.hypotheses_size(), 1);
  EXPECT_EQ(diagnosis.hypotheses(0).kind(), "gateway.redirect_loop");
  EXPECT_THAT(diagnosis.hypotheses(0).title(), HasSubstr("return 301 $uri"));
}

TEST_F(DiagnoseTest, PreflightWithoutAHeader) {
  Model({"/api/products"}, {"/products"});
  AddOrigins();
  StartBackend("/products");
  WriteNginx(
      fmt::format("        location /api/ {{\n            add_header Access-Control-Allow-Origin * always;\n"
                  "            add_header Access-Control-Allow-Headers \"Content-Type\" always;\n"
                  "            if ($request_method = OPTIONS) {{ return 204; }}\n"
                  "            proxy_pass http://127.0.0.1:{}/;\n        }}",
                  backend_port_));
  StartNginx();
  v1::Check* check = investigation_.system.add_suites()->add_steps();
  check->set_name("origins");
  check->set_kind("cors");
  check->set_service("edge");
  auto& with = *check->mutable_with()->mutable_fields();
  with["path"].set_string_value("/api/products");
  with["headers"].mutable_list_value()->add_values()->set_string_value("Authorization");
  const v1::Diagnosis diagnosis = Run();
  ASSERT_GE(diagnosis.hypotheses_size(), 1);
  const v1::Hypothesis& h = diagnosis.hypotheses(0);
  EXPECT_EQ(h.kind(), "cors.header_missing");
  EXPECT_EQ(h.symptom_ids_size(), 3);
  ASSERT_EQ(h.remedies_size(), 1);
  EXPECT_EQ(h.remedies(0).actions(0).with().fields().at("new").string_value(), "Content-Type, Authorization");
}

TEST_F(DiagnoseTest, ClientOfAnotherVersionOfTheApi) {
  Model({"/api/v1/products", "/api/v1/orders"}, {"/products", "/orders"});
  StartBackend("/products,/orders");
  WriteNginx(fmt::format("        location /api/v1/ {{ proxy_pass http://127.0.0.1:{}/; }}", backend_port_));
  StartNginx();
  Write("web/httpClient.js",
        "const API = '/api/v2';\nexport const products = () => fetch(`${API}/products`);\n"
        "export const orders = () => fetch(`${API}/orders`);\n");
  const v1::Diagnosis diagnosis = Run();
  ASSERT_GE(diagnosis.hypotheses_size(), 1);
  const v1::Hypothesis& h = diagnosis.hypotheses(0);
  EXPECT_EQ(h.kind(), "route.prefix_mismatch");
  EXPECT_EQ(h.title(), "web calls /api/v2..., edge serves it as /api/v1...");
  ASSERT_GE(h.remedies_size(), 1);
  EXPECT_EQ(h.remedies(0).actions(0).with().fields().at("new").string_value(), "'/api/v1'");
}

TEST_F(DiagnoseTest, UnknownCauseSaysSo) {
  AddService("shop-api", "backend", backend_port_, {"/products", "/missing"});
  StartBackend("/products");
  const v1::Diagnosis diagnosis = Run();
  ASSERT_EQ(diagnosis.hypotheses_size(), 1);
  EXPECT_EQ(diagnosis.hypotheses(0).kind(), "component.failing");
  EXPECT_LT(diagnosis.hypotheses(0).confidence(), kKnownCause);
  EXPECT_EQ(diagnosis.explanations_size(), 0);
  EXPECT_FALSE(diagnosis.nothing_wrong());
  EXPECT_EQ(diagnosis.symptoms_size(), 1);
  EXPECT_THAT(diagnosis.summary(), HasSubstr("Cause unknown. Best guess: shop-api fails by itself"));
  EXPECT_GT(diagnosis.next_steps_size(), 0);
}

TEST_F(DiagnoseTest, ProbesOnlyDeclaredAddresses) {
  AddService("shop-api", "backend", backend_port_, {"/products"});
  EvidenceBook book(investigation_);
  HttpBroker http(investigation_.system, {}, investigation_.cancelled);
  Prober prober(investigation_, &book, &http);
  EXPECT_TRUE(prober.MayAsk(fmt::format("http://localhost:{}/x", backend_port_)));
  EXPECT_FALSE(prober.MayAsk("http://127.0.0.1:1/"));
  EXPECT_EQ(prober.Ask({"x", "http://127.0.0.1:1/", "", false}).status, 0);
  EXPECT_TRUE(book.all().empty());
}

}  // namespace
}  // namespace omnix
