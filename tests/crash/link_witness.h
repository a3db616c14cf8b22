// An agent without the SDK, in the test's own process: it sees what an agent sees on the wire, and remembers what it
// was told. It offers `witness.report`, the last task of each incident, and holds its result back until Release.
#pragma once

#include <omnix/v1/agent_link.grpc.pb.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace omnix::testing {

class LinkWitness {
 public:
  explicit LinkWitness(const std::string& address);
  ~LinkWitness();
  LinkWitness(const LinkWitness&) = delete;
  LinkWitness& operator=(const LinkWitness&) = delete;

  // The incident's report may be given.
  void Release(const std::string& incident_id);
  // Leases that were given to it, and those whose results were acknowledged.
  std::vector<v1::LeaseId> assigned() const;
  std::vector<v1::LeaseId> acknowledged() const;

 private:
  using Stream = grpc::ClientReaderWriter<v1::AgentMessage, v1::OrchestratorMessage>;
  struct Held {
    v1::LeaseId lease;
    bool acknowledged = false;
    // The orchestrator said that it does not know the lease (any more).
    bool unknown = false;
    bool IsOwed() const { return !acknowledged && !unknown; }
  };

  void Run();
  // One stream, until it ends.
  void Serve();
  void Receive(const v1::OrchestratorItem& item);
  void Beat();
  void SendLocked(v1::AgentItem item);
  void SendResultLocked(const Held& held);

  const std::string address_;
  std::string instance_id_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  grpc::ClientContext* context_ = nullptr;
  Stream* stream_ = nullptr;
  bool welcomed_ = false;
  uint64_t heartbeats_ = 0;
  std::set<std::string> released_;
  // By serialized lease.
  std::map<std::string, Held> held_;
  std::thread heartbeat_thread_;
  std::thread thread_;
};

// A channel with a connection of its own. One that failed waits for seconds before it dials again, whereas the programs
// under test are started again at once: take a new one then.
std::shared_ptr<grpc::Channel> NewChannel(const std::string& address);

}  // namespace omnix::testing
