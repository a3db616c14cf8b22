#include "tests/crash/link_witness.h"

#include <grpcpp/create_channel.h>

#include <chrono>

#include "common/hash.h"

namespace omnix::testing {
namespace {

constexpr auto kHeartbeatInterval = std::chrono::milliseconds(100);
constexpr auto kRedialInterval = std::chrono::milliseconds(20);
constexpr int kInstanceIdBytes = 16;

}  // namespace

std::shared_ptr<grpc::Channel> NewChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

LinkWitness::LinkWitness(const std::string& address) : address_(address), instance_id_(RandomHex(kInstanceIdBytes)) {
  heartbeat_thread_ = std::thread([this] { Beat(); });
  thread_ = std::thread([this] { Run(); });
}

LinkWitness::~LinkWitness() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    if (context_ != nullptr) context_->TryCancel();
  }
  wake_.notify_all();
  thread_.join();
  heartbeat_thread_.join();
}

void LinkWitness::Release(const std::string& incident_id) {
  const std::lock_guard lock(mutex_);
  released_.insert(incident_id);
  for (const auto& [key, held] : held_) {
    if (held.lease.incident_id() == incident_id && held.IsOwed()) SendResultLocked(held);
  }
}

std::vector<v1::LeaseId> LinkWitness::assigned() const {
  const std::lock_guard lock(mutex_);
  std::vector<v1::LeaseId> leases;
  for (const auto& [key, held] : held_) leases.push_back(held.lease);
  return leases;
}

std::vector<v1::LeaseId> LinkWitness::acknowledged() const {
  const std::lock_guard lock(mutex_);
  std::vector<v1::LeaseId> leases;
  for (const auto& [key, held] : held_) {
    if (held.acknowledged) leases.push_back(held.lease);
  }
  return leases;
}

void LinkWitness::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    Serve();
    lock.lock();
    wake_.wait_for(lock, kRedialInterval, [&] { return stopping_; });
  }
}

void LinkWitness::Serve() {
  const auto stub = v1::AgentLink::NewStub(NewChannel(address_));
  grpc::ClientContext context;
  const auto stream = stub->Connect(&context);
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) context.TryCancel();
    context_ = &context;
    stream_ = stream.get();
    v1::AgentItem item;
    v1::Hello& hello = *item.mutable_hello();
    hello.set_link_version(1);
    hello.set_name("witness");
    hello.set_kind("witness");
    hello.set_version("1");
    hello.set_instance_id(instance_id_);
    hello.set_capacity(100);
    hello.add_task_types()->set_name("witness.report");
    for (const auto& [key, held] : held_) {
      if (held.IsOwed()) *hello.add_running() = held.lease;
    }
    SendLocked(std::move(item));
  }
  v1::OrchestratorMessage message;
  while (stream->Read(&message)) {
    for (const auto& item : message.items()) Receive(item);
  }
  {
    const std::lock_guard lock(mutex_);
    context_ = nullptr;
    stream_ = nullptr;
    welcomed_ = false;
  }
  stream->Finish();
}

void LinkWitness::Receive(const v1::OrchestratorItem& item) {
  const std::lock_guard lock(mutex_);
  if (item.has_welcome()) {
    welcomed_ = true;
    heartbeats_ = 0;
    for (const auto& lease : item.welcome().unknown()) held_[lease.SerializeAsString()].unknown = true;
    for (const auto& [key, held] : held_) {
      if (held.IsOwed() && released_.contains(held.lease.incident_id())) SendResultLocked(held);
    }
  } else if (item.has_prepare()) {
    v1::AgentItem answer;
    answer.mutable_prepared()->set_incident_id(item.prepare().incident_id());
    answer.mutable_prepared()->set_ready(true);
    SendLocked(std::move(answer));
  } else if (item.has_assign()) {
    const v1::LeaseId& lease = item.assign().lease();
    const auto [place, is_new] = held_.try_emplace(lease.SerializeAsString(), Held{lease});
    if (is_new && released_.contains(lease.incident_id())) SendResultLocked(place->second);
  } else if (item.has_result_ack()) {
    held_[item.result_ack().lease().SerializeAsString()].acknowledged = true;
  }
}

void LinkWitness::Beat() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, kHeartbeatInterval, [&] { return stopping_; })) {
    if (!welcomed_) continue;
    v1::AgentItem item;
    item.mutable_heartbeat()->set_number(++heartbeats_);
    SendLocked(std::move(item));
  }
}

// A stream that is broken takes nothing: what is lost with it is sent again on the next one.
void LinkWitness::SendLocked(v1::AgentItem item) {
  if (stream_ == nullptr) return;
  v1::AgentMessage message;
  *message.add_items() = std::move(item);
  stream_->Write(message);
}

void LinkWitness::SendResultLocked(const Held& held) {
  if (!welcomed_) return;
  v1::AgentItem item;
  *item.mutable_result()->mutable_lease() = held.lease;
  item.mutable_result()->set_outcome(v1::OUTCOME_SUCCEEDED);
  item.mutable_result()->mutable_product()->set_output_json("\"reported\"");
  SendLocked(std::move(item));
}

}  // namespace omnix::testing
