#include "tests/bench/alerts/servers.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "common/http_client.h"
#include "tests/bench/alerts/bodies.h"

namespace omnix::bench {
namespace {

std::string Program(const std::string& name) { return std::string(OMNIX_BIN_FOLDER) + "/" + name; }

bool Answers(int port, const std::string& path, const std::string& wanted) {
  HttpRequest request;
  request.url = fmt::format("http://127.0.0.1:{}{}", port, path);
  const auto response = SendHttp(request);
  return response.ok() && response->status == 200 && response->body.find(wanted) != std::string::npos;
}

}  // namespace

BareServer::BareServer(bool opens) {
  std::vector<std::string> argv = {Program("omnix-bench-alerts-ceiling"), std::to_string(port_), folder_ / "alerts.db"};
  if (opens) argv.emplace_back("opens");
  child_ = std::make_unique<Child>(argv, folder_ / "server.log");
  WaitFor([&] { return Answers(port_, "/readyz", ""); }, "the bare server; see " + folder_.path());
}

Omnixd::Omnixd(const std::string& board) {
  std::ofstream(folder_ / "system.yaml") << "name: bench\nservices:\n  - name: " << kService << "\n    kind: backend\n";
  std::filesystem::create_directory(folder_ / "playbooks");
  std::ofstream(folder_ / "playbooks/bench.yaml")
      << "name: bench\ndescription: One task.\ninvestigating:\n  - name: "
         "look\n    type: bench.look\n    timeout: 10m\n"
         "validating:\n  - name: validate\n    type: bench.validate\nmobilize_timeout: 1m\n";
  const std::string grpc = fmt::format("127.0.0.1:{}", FreePort());
  child_ = std::make_unique<Child>(
      std::vector<std::string>{Program("omnixd"), "--data", folder_ / "data", "--system", folder_ / "system.yaml",
                               "--playbooks", folder_ / "playbooks", "--grpc", grpc, "--http",
                               fmt::format("127.0.0.1:{}", port_), "--log-level", "warning"},
      folder_ / "omnixd.log");
  WaitFor(
      [&] {
        if (!child_->IsRunning()) Die("omnixd ended; see " + folder_.path());
        return Answers(port_, "/readyz", "");
      },
      "omnixd; see " + folder_.path());
  if (board.empty()) return;
  agent_ = std::make_unique<Child>(std::vector<std::string>{Program("omnix-bench-alerts-agent"), grpc, board},
                                   folder_ / "agent.log");
  WaitFor([&] { return Answers(port_, "/v1/status", "\"connected_agents\":1"); }, "the agent; see " + folder_.path());
}

}  // namespace omnix::bench
