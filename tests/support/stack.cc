#include "tests/support/stack.h"

#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "common/http_client.h"

namespace omnix::testing {
namespace {

constexpr absl::Duration kCallTimeout = absl::Seconds(5);

void SetDeadline(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(kCallTimeout));
}

}  // namespace

std::string BinFolder() { return OMNIX_BIN_FOLDER; }
std::string SourceFolder() { return OMNIX_SOURCE_FOLDER; }

Stack::Stack(std::string folder, StackOptions options)
    : folder_(std::move(folder)), options_(std::move(options)), grpc_port_(FreePort()), http_port_(FreePort()) {
  std::filesystem::create_directories(folder_ + "/log");
  api_ = v1::Operator::NewStub(grpc::CreateChannel(grpc_address(), grpc::InsecureChannelCredentials()));
}

void Stack::Start() {
  StartOrchestrator();
  for (const auto& kind : kAgentKinds) StartAgent(kind);
}

void Stack::StartOrchestrator() {
  std::vector<std::string> argv = {BinFolder() + "/omnixd",
                                   "--data",
                                   folder_ + "/data",
                                   "--grpc",
                                   grpc_address(),
                                   "--http",
                                   "127.0.0.1:" + std::to_string(http_port_),
                                   "--system",
                                   options_.system_file,
                                   "--heartbeat",
                                   "200ms",
                                   "--lease",
                                   "2s"};
  if (!options_.policy_file.empty()) {
    argv.push_back("--policy");
    argv.push_back(options_.policy_file);
  }
  if (!options_.playbooks_folder.empty()) {
    argv.push_back("--playbooks");
    argv.push_back(options_.playbooks_folder);
  }
  if (!options_.token.empty()) {
    Spill(folder_ + "/token", options_.token);
    argv.push_back("--token-file");
    argv.push_back(folder_ + "/token");
  }
  argv.insert(argv.end(), options_.arguments.begin(), options_.arguments.end());
  programs_["omnixd"] = Program(argv, folder_ + "/log/omnixd");
  const bool ready = WaitUntil([&] {
    HttpRequest request;
    request.url = "http://127.0.0.1:" + std::to_string(http_port_) + "/readyz";
    if (!options_.token.empty()) request.headers = {{"Authorization", "Bearer " + options_.token}};
    const auto response = SendHttp(request);
    return (response.ok() && response->status == 200) || !programs_["omnixd"].IsRunning();
  });
  ASSERT_TRUE(ready && programs_["omnixd"].IsRunning()) << Logs();
}

void Stack::StartAgent(const std::string& kind, std::map<std::string, std::string> environment) {
  std::vector<std::string> argv = {BinFolder() + "/omnix-" + kind + "-agent", "--orchestrator", grpc_address(),
                                   "--name", kind + "-agent"};
  if (kind == "recovery") {
    argv.push_back("--config");
    argv.push_back(options_.recovery_config);
  }
  if (kind == "documentation") {
    argv.push_back("--state-dir");
    argv.push_back(folder_ + "/reports");
  }
  programs_[kind] = Program(argv, folder_ + "/log/" + kind, std::move(environment));
}

void Stack::KillAndRestart(const std::string& program) {
  programs_[program].Kill();
  if (program == "omnixd") {
    StartOrchestrator();
  } else {
    StartAgent(program);
  }
}

v1::GetIncidentResponse Stack::Get(const std::string& incident_id) {
  grpc::ClientContext context;
  SetDeadline(context);
  v1::GetIncidentRequest request;
  request.set_incident_id(incident_id);
  v1::GetIncidentResponse response;
  if (!api_->GetIncident(&context, request, &response).ok()) response.Clear();
  return response;
}

std::vector<v1::RecordedEvent> Stack::Events(const std::string& incident_id) {
  grpc::ClientContext context;
  SetDeadline(context);
  v1::ListEventsRequest request;
  request.set_incident_id(incident_id);
  v1::ListEventsResponse response;
  const grpc::Status status = api_->ListEvents(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return {response.events().begin(), response.events().end()};
}

std::string Stack::Open(const std::string& title, const std::string& subject) {
  grpc::ClientContext context;
  SetDeadline(context);
  v1::OpenIncidentRequest request;
  request.set_title(title);
  request.set_subject(subject);
  request.set_severity(v1::SEVERITY_CRITICAL);
  request.set_by("test");
  v1::OpenIncidentResponse response;
  const grpc::Status status = api_->OpenIncident(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.incident_id();
}

grpc::Status Stack::Command(v1::CommandIncidentRequest request) {
  grpc::ClientContext context;
  SetDeadline(context);
  if (request.by().empty()) request.set_by("test");
  v1::CommandIncidentResponse response;
  return api_->CommandIncident(&context, request, &response);
}

v1::Incident Stack::WaitForPhase(const std::string& incident_id, std::vector<v1::Phase> phases,
                                 absl::Duration deadline) {
  v1::GetIncidentResponse got;
  const bool reached = WaitUntil(
      [&] {
        got = Get(incident_id);
        return std::find(phases.begin(), phases.end(), got.incident().phase()) != phases.end();
      },
      deadline);
  EXPECT_TRUE(reached) << "last seen: " << got.incident().ShortDebugString().substr(0, 4000) << "\n" << Logs();
  return got.incident();
}

bool Stack::WatchFor(const std::string& incident_id, const std::function<bool(const v1::Event&)>& condition,
                     absl::Duration deadline) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(deadline));
  v1::WatchIncidentRequest request;
  request.set_incident_id(incident_id);
  const auto reader = api_->WatchIncident(&context, request);
  v1::WatchIncidentResponse update;
  bool found = false;
  while (!found && reader->Read(&update)) found = update.has_event() && condition(update.event());
  context.TryCancel();
  reader->Finish();
  return found;
}

std::string Stack::Logs() const {
  std::string logs;
  for (const auto& entry : std::filesystem::directory_iterator(folder_ + "/log")) {
    const std::string text = Slurp(entry.path().string());
    logs += "--- " + entry.path().filename().string() + "\n" + text.substr(text.size() > 3000 ? text.size() - 3000 : 0);
  }
  return logs;
}

}  // namespace omnix::testing
