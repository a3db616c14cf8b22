// A system that has nothing in common with the demo: another trade, other paths, another prefix, a mobile app that
// nobody can change, and a gateway whose last commit lost the mapping. No suite is declared. The fix belongs to the
// gateway.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/http_client.h"
#include "tests/support/stack.h"
#include "tests/support/world.h"

namespace omnix {
namespace {

using testing::RunToEnd;
using ::testing::SizeIs;
using testing::Slurp;
using testing::Spill;

constexpr char kBackend[] = R"py(import http.server, json, sys
ROUTES = {"/claims": [{"id": 7}], "/policies": [{"id": 3}], "/status": {"up": True}}
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        known = self.path in ROUTES
        body = json.dumps(ROUTES.get(self.path, {"error": "no such resource"})).encode()
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_HEAD = do_GET
    def log_message(self, *args):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
)py";

class InsuranceSystem {
 public:
  InsuranceSystem() : gateway_(std::to_string(FreePort())), backend_(std::to_string(FreePort())) {
    Spill(folder_ / "claims_service.py", kBackend);
    Spill(folder_ / "repo/app/endpoints.json", R"({
  "api": {
    "baseUrl": "http://127.0.0.1:)" + gateway_ + R"(/mobile/v3",
    "endpoints": { "claims": "/claims", "policies": "/policies", "status": "/status" }
  }
}
)");
    Commit(EdgeConf("/"), "Mobile edge", "2 weeks ago");
    Spill(folder_ / "repo/README.md", "Insurance edge.\n");
    Commit(EdgeConf(""), "edge: tidy up proxy_pass", "10 minutes ago");
    WriteOmnixFiles();
    backend_program_ = testing::Program({"python3", folder_ / "claims_service.py", backend_}, folder_ / "backend.log");
    gateway_program_ = testing::Program(Nginx({"-g", "daemon off;"}), folder_ / "nginx.out");
    EXPECT_TRUE(testing::WaitUntil([&] { return Status("/mobile/v3/claims") == 404; })) << Slurp(folder_ / "error.log");
  }
  ~InsuranceSystem() {
    gateway_program_.Terminate();
    backend_program_.Terminate();
  }

  int Status(const std::string& path) const {
    HttpRequest request;
    request.url = "http://127.0.0.1:" + gateway_ + path;
    const auto response = SendHttp(request);
    return response.ok() ? response->status : 0;
  }
  std::string folder() const { return folder_.path(); }
  std::string EdgeFile() const { return folder_ / "repo/edge/edge.conf"; }
  std::map<std::string, std::string> Files() const { return testing::Snapshot(folder_ / "repo"); }

 private:
  std::string EdgeConf(const std::string& slash) const {
    const std::string root = folder_.path();
    return "pid " + root + "/nginx.pid;\nerror_log " + root +
           "/error.log;\nevents { worker_connections 64; }\nhttp {\n" + "  access_log " + root +
           "/access.log;\n  client_body_temp_path " + root + "/tmp;\n  proxy_temp_path " + root +
           "/tmp;\n  fastcgi_temp_path " + root + "/tmp;\n  uwsgi_temp_path " + root + "/tmp;\n  scgi_temp_path " +
           root + "/tmp;\n  server {\n    listen 127.0.0.1:" + gateway_ +
           ";\n\n    # What the app calls.\n    location /mobile/v3/ {\n      proxy_pass http://127.0.0.1:" + backend_ +
           slash +
           ";\n      proxy_set_header Host $host;\n    }\n\n    location = /ping {\n      return 200 pong;\n    }\n  "
           "}\n}\n";
  }

  std::vector<std::string> Nginx(std::vector<std::string> more) const {
    std::vector<std::string> argv = {"/usr/sbin/nginx", "-e", folder_ / "error.log", "-p", folder_.path(), "-c",
                                     EdgeFile()};
    argv.insert(argv.end(), more.begin(), more.end());
    return argv;
  }

  void Commit(const std::string& edge, const std::string& subject, const std::string& when) {
    Spill(EdgeFile(), edge);
    const std::string script = "cd '" + (folder_ / "repo") +
                               "' && git init -q -b main . 2>/dev/null; d=$(date -u -d '" + when +
                               "' +%Y-%m-%dT%H:%M:%SZ); git add -A && GIT_AUTHOR_DATE=$d GIT_COMMITTER_DATE=$d "
                               "git -c user.name=Kim -c user.email=kim@edge.example commit -q -m '" +
                               subject + "'";
    const auto done = RunToEnd({"sh", "-c", script});
    EXPECT_EQ(0, done.exit_code) << done.out;
  }

  static std::string Yaml(const std::vector<std::string>& argv) {
    std::string list;
    for (const auto& word : argv) list += (list.empty() ? "[\"" : ", \"") + word + "\"";
    return list + "]";
  }

  void WriteOmnixFiles() {
    Spill(folder_ / "system.yaml",
          "name: insurance\nservices:\n  - name: edge\n    kind: gateway\n    base_url: http://127.0.0.1:" + gateway_ +
              "\n    depends_on: [claims]\n    endpoints:\n      - path: /ping\n" +
              "    config_files:\n      - {path: repo/edge/edge.conf, reload: reload}\n" +
              "    process: {pid_file: nginx.pid, match: nginx}\n    commands:\n      test_config: {argv: " +
              Yaml(Nginx({"-t"})) + "}\n      reload: {argv: " + Yaml(Nginx({"-s", "reload"})) +
              "}\n    logs:\n      - {path: access.log, kind: access}\n" +
              "  - name: claims\n    kind: backend\n    base_url: http://127.0.0.1:" + backend_ +
              "\n    endpoints:\n      - path: /claims\n      - path: /policies\n      - path: /status\n" +
              "clients:\n  - name: app\n    service: edge\n    files: [repo/app/endpoints.json]\n" +
              "    editable: false\nrepositories:\n  - {name: edge, path: repo}\n");
    Spill(folder_ / "recovery.yaml",
          "allowed_paths: [\"" + (folder_ / "repo") + "\"]\nallowed_commands:\n  - argv: " + Yaml(Nginx({"-t"})) +
              "\n  - argv: " + Yaml(Nginx({"-s", "reload"})) + "\nstate_dir: \"" + (folder_ / "recovery") + "\"\n");
  }

  testing::TemporaryFolder folder_;
  std::string gateway_;
  std::string backend_;
  testing::Program backend_program_;
  testing::Program gateway_program_;
};

TEST(SecondSystem, IsRepairedAtTheGatewayWithoutAChangeOfCode) {
  InsuranceSystem system;
  const auto broken = system.Files();
  testing::Stack stack(system.folder() + "/stack",
                       {system.folder() + "/system.yaml", testing::SourceFolder() + "/deploy/demo/policy-auto.yaml",
                        system.folder() + "/recovery.yaml"});
  stack.Start();
  const std::string id = stack.Open("The app shows no claims", "edge");
  const v1::Incident incident =
      stack.WaitForPhase(id, {v1::PHASE_RESOLVED, v1::PHASE_ESCALATED, v1::PHASE_CANCELLED}, absl::Seconds(90));
  ASSERT_EQ(v1::PHASE_RESOLVED, incident.phase()) << incident.ended_reason() << incident.diagnosis().DebugString();
  for (const char* path : {"/mobile/v3/claims", "/mobile/v3/policies", "/mobile/v3/status", "/ping"}) {
    // A worker of the gateway that is being replaced may still answer a call or two.
    EXPECT_TRUE(testing::WaitUntil([&] { return system.Status(path) == 200; })) << path << " " << system.Status(path);
  }
  ASSERT_THAT(incident.recoveries(), SizeIs(1));
  const auto& plan = incident.recoveries(0).plan();
  ASSERT_THAT(plan.files(), SizeIs(1)) << plan.diff();
  EXPECT_EQ(system.EdgeFile(), plan.files(0).path()) << "the app is nobody's to change";
  EXPECT_LE(plan.files(0).lines_added() + plan.files(0).lines_removed(), 2u) << plan.diff();
  EXPECT_THAT(incident.document().artifacts(), ::testing::Not(::testing::IsEmpty()));

  v1::CommandIncidentRequest rollback;
  rollback.set_incident_id(id);
  rollback.mutable_rollback();
  ASSERT_TRUE(stack.Command(rollback).ok());
  EXPECT_TRUE(testing::WaitUntil([&] { return stack.Get(id).incident().recoveries(0).rollback().complete(); }));
  EXPECT_EQ(broken, system.Files());
}

}  // namespace
}  // namespace omnix
