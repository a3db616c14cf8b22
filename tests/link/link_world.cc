#include "tests/link/link_world.h"

#include <arpa/inet.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "common/agent_link.h"
#include "common/http_client.h"
#include "orchestrator/core/incident_fixture.h"

namespace omnix::testing {
namespace {

constexpr auto kPatience = std::chrono::seconds(60);
constexpr char kPlaybook[] = R"(name: link
investigating: [{name: diagnose, type: work.diagnose, timeout: 2m}]
recovering:
  - {name: plan, type: work.plan}
  - {name: apply, type: work.apply, needs: [plan], approval: true}
validating: [{name: validate, type: work.validate}]
rollback: [{name: rollback, type: work.rollback}]
documenting: [{name: report, type: work.report}]
)";

v1::Product ProductOf(TaskContext& context) {
  const std::string& incident = context.lease().incident_id();
  if (context.type() == "work.diagnose") return DiagnosisOf({"x1"});
  if (context.type() == "work.plan") return PlanOf("hash-" + incident);
  if (context.type() == "work.apply") return ApplicationOf("hash-" + incident, true);
  if (context.type() == "work.rollback") return RollbackOf("", true);
  if (context.type() == "work.validate") return VerdictOf(true);
  return DocumentOf();
}

}  // namespace

LinkWorld::LinkWorld() {
  std::filesystem::create_directories(folder_ / "playbooks");
  Spill(folder_ / "playbooks/link.yaml", kPlaybook);
  Spill(folder_ / "system.yaml", "name: link\n");
  Spill(folder_ / "policy.yaml", "rules: [{name: all, decision: auto}]\n");
  StackOptions options{folder_ / "system.yaml", folder_ / "policy.yaml", ""};
  options.playbooks_folder = folder_ / "playbooks";
  stack_ = std::make_unique<Stack>(folder_.path(), options);
  stack_->StartOrchestrator();
  AgentOptions agent;
  agent.orchestrator = stack_->grpc_address();
  agent.name = "in-order";
  agent.kind = "work";
  agent_ = std::make_unique<Agent>(agent);
  for (const char* verb : {"diagnose", "plan", "apply", "rollback", "validate", "report"}) {
    agent_->Offer(std::string("work.") + verb, [this](TaskContext& context) { return Work(context); });
  }
  agent_thread_ = std::thread([this] { EXPECT_TRUE(agent_->Run().ok()); });
}

LinkWorld::~LinkWorld() {
  ReleaseHeldTask();
  agent_->Stop();
  agent_thread_.join();
}

absl::StatusOr<v1::Product> LinkWorld::Work(TaskContext& context) {
  if (context.type() == "work.diagnose") {
    std::unique_lock lock(mutex_);
    if (hold_) {
      held_lease_ = context.lease();
      holding_ = true;
      news_.notify_all();
      news_.wait_for(lock, kPatience, [&] { return !hold_; });
    }
  }
  return ProductOf(context);
}

int LinkWorld::grpc_port() {
  const std::string address = grpc_address();
  return std::stoi(address.substr(address.rfind(':') + 1));
}

std::shared_ptr<grpc::Channel> LinkWorld::shared_channel() {
  if (channel_ == nullptr) channel_ = grpc::CreateChannel(grpc_address(), grpc::InsecureChannelCredentials());
  return channel_;
}

void LinkWorld::ExpectIncidentCompletes() { ExpectCompletes(stack_->Open("beside hostile peers")); }

void LinkWorld::ExpectCompletes(const std::string& incident_id) {
  const v1::Incident incident = stack_->WaitForPhase(incident_id, {v1::PHASE_RESOLVED, v1::PHASE_ESCALATED});
  EXPECT_EQ(incident.phase(), v1::PHASE_RESOLVED);
  for (const auto& task : incident.tasks()) EXPECT_EQ(task.attempt(), 1u) << task.id() << ": " << task.reason();
  for (const auto& entry : stack_->Events(incident_id)) EXPECT_FALSE(entry.event().has_late_result());
}

std::string LinkWorld::HoldNextTask() {
  std::unique_lock lock(mutex_);
  hold_ = true;
  holding_ = false;
  lock.unlock();
  const std::string incident = stack_->Open("held");
  lock.lock();
  EXPECT_TRUE(news_.wait_for(lock, kPatience, [&] { return holding_; }));
  return incident;
}

void LinkWorld::ReleaseHeldTask() {
  const std::lock_guard lock(mutex_);
  hold_ = false;
  news_.notify_all();
}

absl::Duration LinkWorld::SlowestAlert(int count) {
  absl::Duration slowest;
  for (int i = 0; i < count; ++i) {
    HttpRequest request;
    request.method = "POST";
    request.url = "http://127.0.0.1:" + std::to_string(stack_->http_port()) + "/v1/alerts/omnix";
    request.body = "{\"title\":\"alert " + std::to_string(++alerts_) + "\"}";
    const absl::Time begun = absl::Now();
    const auto response = SendHttp(request);
    slowest = std::max(slowest, absl::Now() - begun);
    EXPECT_TRUE(response.ok() && response->status == 200)
        << (response.ok() ? response->body : response.status().ToString());
  }
  return slowest;
}

size_t LinkWorld::ResidentBytes() {
  std::ifstream statm("/proc/" + std::to_string(stack_->program("omnixd").pid()) + "/statm");
  size_t size = 0, resident = 0;
  statm >> size >> resident;
  EXPECT_GT(resident, 0u) << "omnixd does not run any more";
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

std::string LinkWorld::OrchestratorLog() { return Slurp(folder_ / "log/omnixd"); }

v1::AgentMessage HelloMessage(const std::string& name) {
  v1::AgentMessage message;
  v1::Hello* hello = message.add_items()->mutable_hello();
  hello->set_link_version(kLinkVersion);
  hello->set_name(name);
  hello->set_instance_id("0123456789abcdef");
  hello->set_kind("hostile");
  hello->add_task_types()->set_name("hostile.work");
  hello->set_capacity(1);
  return message;
}

std::string MutatedMessage(std::mt19937& random) {
  const auto below = [&](uint32_t n) { return static_cast<uint32_t>(random() % n); };
  const auto text = [&] {
    static const char* const kTexts[] = {
        "", "x", "INC-2025-09-04-001", "investigating-1/diagnose", "\x1b[2J", "../../etc", "{\"a\":"};
    return below(8) == 0 ? std::string(below(3000), 'y') : std::string(kTexts[below(7)]);
  };
  const auto lease = [&](v1::LeaseId* id) {
    id->set_incident_id(text());
    id->set_task_id(text());
    id->set_attempt(below(3));
    id->set_fencing_token(below(2) == 0 ? below(4) : ~0ULL);
  };
  v1::AgentMessage message;
  for (uint32_t i = 0, items = 1 + below(4); i < items; ++i) {
    v1::AgentItem* item = message.add_items();
    switch (below(16)) {
      case 0:
        *item = HelloMessage(text()).items(0);
        break;
      case 1:
        item->mutable_prepared()->set_incident_id(text());
        item->mutable_prepared()->set_ready(below(2) == 0);
        break;
      case 2:
        lease(item->mutable_accepted()->mutable_lease());
        break;
      case 3:
      case 4:
        lease(item->mutable_evidence()->mutable_lease());
        item->mutable_evidence()->add_evidence()->set_excerpt(text());
        break;
      case 5:
      case 6:
        lease(item->mutable_result()->mutable_lease());
        item->mutable_result()->set_outcome(static_cast<v1::Outcome>(below(9)));
        item->mutable_result()->mutable_product()->set_output_json(text());
        break;
      case 7:
      case 8:
        lease(item->mutable_progress()->mutable_lease());
        item->mutable_progress()->set_text(text());
        item->mutable_progress()->set_percent(below(1000));
        break;
      default:
        item->mutable_heartbeat()->set_number(random());
    }
  }
  std::string bytes = message.SerializeAsString();
  for (uint32_t i = 0, changes = below(20) == 0 ? 1 + below(4) : 0; i < changes && !bytes.empty(); ++i) {
    bytes[below(static_cast<uint32_t>(bytes.size()))] = static_cast<char>(random());
  }
  if (below(50) == 0) bytes.resize(below(static_cast<uint32_t>(bytes.size() + 1)));
  return bytes;
}

// A generic call, so that messages need not be messages.
struct Peer::Call {
  bool Await() {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  }
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream;
  std::unique_ptr<grpc::GenericStub> stub;
};

Peer::Peer(const std::string& address, std::shared_ptr<grpc::Channel> channel) : call_(std::make_unique<Call>()) {
  if (channel == nullptr) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  }
  call_->stub = std::make_unique<grpc::GenericStub>(channel);
  call_->context.set_deadline(std::chrono::system_clock::now() + kPatience);
  call_->stream = call_->stub->PrepareCall(&call_->context, "/omnix.v1.AgentLink/Connect", &call_->queue);
  call_->stream->StartCall(&call_->context);
  call_->Await();
}

Peer::~Peer() {
  if (call_->stream != nullptr) End();
}

bool Peer::WriteBytes(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  call_->stream->Write(grpc::ByteBuffer(&slice, 1), nullptr);
  return call_->Await();
}

grpc::Status Peer::AwaitEnd() {
  grpc::ByteBuffer buffer;
  do {
    call_->stream->Read(&buffer, nullptr);
  } while (call_->Await());
  grpc::Status status;
  call_->stream->Finish(&status, nullptr);
  call_->Await();
  call_->stream.reset();
  return status;
}

void Peer::End() {
  call_->context.TryCancel();
  AwaitEnd();
}

void Peer::SendRaw(const std::string& address, const std::string& bytes) {
  Peer peer(address);
  peer.WriteBytes(bytes);
  EXPECT_EQ(peer.AwaitEnd().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

Socket::Socket(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
}

Socket::~Socket() { ::close(fd_); }

void Socket::Send(const std::string& bytes) {
  // The other side may close at any byte.
  if (::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) return;
}

}  // namespace omnix::testing
