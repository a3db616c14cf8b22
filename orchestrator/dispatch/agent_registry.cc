#include "orchestrator/dispatch/agent_registry.h"

#include <algorithm>

#include "common/time.h"

namespace omnix {
namespace {

bool HasLabels(const RegisteredAgent& agent, const google::protobuf::Map<std::string, std::string>& labels) {
  return std::all_of(labels.begin(), labels.end(), [&](const auto& label) {
    const auto found = agent.hello.labels().find(label.first);
    return found != agent.hello.labels().end() && found->second == label.second;
  });
}

bool IsWatched(const RegisteredAgent& agent) { return agent.session != nullptr || !agent.leases.empty(); }

}  // namespace

LeaseKey KeyOf(const v1::LeaseId& lease) { return {lease.incident_id(), lease.task_id(), lease.attempt()}; }

std::shared_ptr<AgentSession> AgentRegistry::Connect(std::shared_ptr<AgentSession> session, v1::Hello hello,
                                                     absl::Duration monotonic, absl::Time now) {
  RegisteredAgent& agent = agents_[hello.name()];
  std::shared_ptr<AgentSession> former = std::move(agent.session);
  if (former != nullptr) by_session_.erase(former.get());
  by_session_[session.get()] = hello.name();
  agent.name = hello.name();
  agent.session = std::move(session);
  agent.task_types.clear();
  for (const auto& type : hello.task_types()) agent.task_types.insert(type.name());
  agent.hello = std::move(hello);
  agent.hello.clear_running();
  agent.draining = false;
  agent.complaints = 0;
  agent.evidence.clear();
  agent.last_heard = monotonic;
  agent.connected_at = now;
  agent.last_heartbeat_at = now;
  return former;
}

RegisteredAgent* AgentRegistry::Disconnect(const std::shared_ptr<AgentSession>& session) {
  RegisteredAgent* agent = FindBySession(session.get());
  if (agent == nullptr) return nullptr;
  by_session_.erase(session.get());
  agent->session = nullptr;
  return agent;
}

RegisteredAgent& AgentRegistry::Expect(const std::string& name, absl::Duration monotonic) {
  RegisteredAgent& agent = agents_[name];
  agent.name = name;
  agent.hello.set_name(name);
  agent.last_heard = std::max(agent.last_heard, monotonic);
  return agent;
}

RegisteredAgent* AgentRegistry::Find(const std::string& name) {
  const auto found = agents_.find(name);
  return found == agents_.end() ? nullptr : &found->second;
}

RegisteredAgent* AgentRegistry::FindBySession(const AgentSession* session) {
  const auto found = by_session_.find(session);
  return found == by_session_.end() ? nullptr : Find(found->second);
}

RegisteredAgent* AgentRegistry::FindRoom(const std::string& task_type,
                                         const google::protobuf::Map<std::string, std::string>& labels) {
  RegisteredAgent* best = nullptr;
  size_t best_room = 0;
  for (auto& [name, agent] : agents_) {
    if (!agent.HasRoom() || !agent.task_types.contains(task_type) || !HasLabels(agent, labels)) continue;
    const size_t room = agent.hello.capacity() - agent.leases.size();
    if (room > best_room) {
      best = &agent;
      best_room = room;
    }
  }
  return best;
}

bool AgentRegistry::Offers(const std::string& task_type,
                           const google::protobuf::Map<std::string, std::string>& labels) const {
  return std::any_of(agents_.begin(), agents_.end(), [&](const auto& entry) {
    const RegisteredAgent& agent = entry.second;
    return agent.session != nullptr && !agent.draining && agent.task_types.contains(task_type) &&
           HasLabels(agent, labels);
  });
}

std::vector<RegisteredAgent*> AgentRegistry::SilentSince(absl::Duration deadline) {
  std::vector<RegisteredAgent*> silent;
  for (auto& [name, agent] : agents_) {
    if (IsWatched(agent) && agent.last_heard <= deadline) silent.push_back(&agent);
  }
  return silent;
}

absl::Duration AgentRegistry::EarliestHeard() const {
  absl::Duration earliest = absl::InfiniteDuration();
  for (const auto& [name, agent] : agents_) {
    if (IsWatched(agent)) earliest = std::min(earliest, agent.last_heard);
  }
  return earliest;
}

void AgentRegistry::Forget(const std::string& name) {
  const auto found = agents_.find(name);
  if (found != agents_.end() && !IsWatched(found->second)) agents_.erase(found);
}

void AgentRegistry::ForgetBeyond(size_t most) {
  if (agents_.size() <= most) return;
  std::vector<std::pair<absl::Duration, std::string>> gone;
  for (const auto& [name, agent] : agents_) {
    if (!IsWatched(agent)) gone.emplace_back(agent.last_heard, name);
  }
  if (gone.size() <= most) return;
  std::sort(gone.begin(), gone.end());
  for (size_t i = 0; i < gone.size() - most; ++i) agents_.erase(gone[i].second);
}

v1::AgentInfo InfoOf(const RegisteredAgent& agent) {
  v1::AgentInfo info;
  info.set_name(agent.name);
  info.set_kind(agent.hello.kind());
  info.set_version(agent.hello.version());
  for (const auto& type : agent.task_types) info.add_task_types(type);
  info.set_capacity(agent.hello.capacity());
  info.set_running(static_cast<uint32_t>(agent.leases.size()));
  *info.mutable_labels() = agent.hello.labels();
  info.set_connected(agent.session != nullptr);
  info.set_draining(agent.draining);
  *info.mutable_connected_at() = ToProto(agent.connected_at);
  *info.mutable_last_heartbeat_at() = ToProto(agent.last_heartbeat_at);
  return info;
}

}  // namespace omnix
