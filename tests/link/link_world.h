// Test support: a real omnixd, an agent in order beside it (the SDK's), and peers that need not be.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <omnix/v1/agent_link.grpc.pb.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>

#include "agents/sdk/agent.h"
#include "tests/support/stack.h"

namespace omnix::testing {

class LinkWorld {
 public:
  LinkWorld();
  ~LinkWorld();

  std::string grpc_address() { return stack_->grpc_address(); }
  int grpc_port();
  std::shared_ptr<grpc::Channel> shared_channel();

  // An incident is opened and every step of it done by the agent in order, which never lost its link.
  void ExpectIncidentCompletes();
  void ExpectCompletes(const std::string& incident_id);

  // Opens an incident whose investigation the agent begins and does not end; gives the incident.
  std::string HoldNextTask();
  const v1::LeaseId& held_lease() const { return held_lease_; }
  void ReleaseHeldTask();

  // Slowest of so many alerts over HTTP, one after the other; each is acknowledged.
  absl::Duration SlowestAlert(int count);
  size_t ResidentBytes();
  std::string OrchestratorLog();

 private:
  absl::StatusOr<v1::Product> Work(TaskContext& context);

  TemporaryFolder folder_;
  std::unique_ptr<Stack> stack_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<Agent> agent_;
  std::thread agent_thread_;
  std::mutex mutex_;
  std::condition_variable news_;
  bool hold_ = false;
  bool holding_ = false;
  v1::LeaseId held_lease_;
  int alerts_ = 0;
};

v1::AgentMessage HelloMessage(const std::string& name);
// An AgentMessage of random items, some with real-looking leases, some of its bytes changed.
std::string MutatedMessage(std::mt19937& random);

// A client of the link that sends whatever it is told.
class Peer {
 public:
  explicit Peer(const std::string& address, std::shared_ptr<grpc::Channel> channel = nullptr);
  ~Peer();
  bool Write(const v1::AgentMessage& message) { return WriteBytes(message.SerializeAsString()); }
  bool WriteBytes(const std::string& bytes);
  // Reads until the stream ends.
  grpc::Status AwaitEnd();
  void End();
  // One message of these bytes after no Hello.
  static void SendRaw(const std::string& address, const std::string& bytes);

 private:
  struct Call;
  std::unique_ptr<Call> call_;
};

// A TCP connection to loopback.
class Socket {
 public:
  explicit Socket(int port);
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  void Send(const std::string& bytes);

 private:
  int fd_;
};

}  // namespace omnix::testing
