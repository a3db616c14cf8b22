// The agents that are connected (or were a moment ago), what they offer, and the leases they hold. No threads, no
// clock: time is an argument.
#pragma once

#include <omnix/v1/agent_link.pb.h>
#include <omnix/v1/operator.pb.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "orchestrator/dispatch/agent_session.h"

namespace omnix {

struct LeaseKey {
  std::string incident_id;
  std::string task_id;
  uint32_t attempt = 0;
  auto operator<=>(const LeaseKey&) const = default;
};

LeaseKey KeyOf(const v1::LeaseId& lease);

// What one attempt has reported.
struct EvidenceCount {
  size_t pieces = 0;
  size_t bytes = 0;
  // On this connection, with what was sent again.
  size_t received = 0;
};

struct RegisteredAgent {
  std::string name;
  v1::Hello hello;
  std::set<std::string> task_types;
  // Null while it is not connected.
  std::shared_ptr<AgentSession> session;
  std::set<LeaseKey> leases;
  // Of these leases.
  std::map<LeaseKey, EvidenceCount> evidence;
  bool draining = false;
  // Outranked leases whose results it sent: each is kept in the journal once.
  std::set<LeaseKey> late_results;
  // What it did wrong on this connection and was logged.
  int complaints = 0;
  // Monotonic time of its last sign of life.
  absl::Duration last_heard;
  absl::Time connected_at;
  absl::Time last_heartbeat_at;

  bool HasRoom() const { return session != nullptr && !draining && leases.size() < hello.capacity(); }
};

class AgentRegistry {
 public:
  // The agent said Hello. Returns the session that it replaces (another stream of the same name), or null. Its leases
  // stay as they are.
  std::shared_ptr<AgentSession> Connect(std::shared_ptr<AgentSession> session, v1::Hello hello,
                                        absl::Duration monotonic, absl::Time now);

  // Its stream ended; the leases stay until they expire. Null where the session is not (or no longer) known.
  RegisteredAgent* Disconnect(const std::shared_ptr<AgentSession>& session);

  // An agent that an earlier process knew: its leases are kept for it until they expire.
  RegisteredAgent& Expect(const std::string& name, absl::Duration monotonic);

  RegisteredAgent* Find(const std::string& name);
  RegisteredAgent* FindBySession(const AgentSession* session);

  // The connected agent with the most room that offers the type and has the labels; null where there is none.
  RegisteredAgent* FindRoom(const std::string& task_type,
                            const google::protobuf::Map<std::string, std::string>& labels);

  // Some connected agent offers the type with these labels, with room or without.
  bool Offers(const std::string& task_type, const google::protobuf::Map<std::string, std::string>& labels) const;

  // Agents that hold leases or a session and were last heard before `deadline`.
  std::vector<RegisteredAgent*> SilentSince(absl::Duration deadline);

  // Earliest last_heard of those; infinite where there are none.
  absl::Duration EarliestHeard() const;

  // Forgets an agent that is not connected and holds nothing.
  void Forget(const std::string& name);

  // Forgets those longest gone until at most `most` are known that are not connected and hold nothing.
  void ForgetBeyond(size_t most);

  const std::map<std::string, RegisteredAgent>& agents() const { return agents_; }
  std::map<std::string, RegisteredAgent>& agents() { return agents_; }

 private:
  std::map<std::string, RegisteredAgent> agents_;
  std::map<const AgentSession*, std::string> by_session_;
};

v1::AgentInfo InfoOf(const RegisteredAgent& agent);

}  // namespace omnix
