// Agents: the roll call and their leases.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "common/agent_link.h"
#include "common/crash_point.h"
#include "common/status.h"
#include "common/time.h"
#include "orchestrator/core/decision.h"
#include "orchestrator/core/evolve.h"
#include "orchestrator/core/names.h"
#include "orchestrator/engine/engine.h"
#include "orchestrator/engine/task_input.h"

namespace omnix {
namespace {

// An agent that connects is told of so many open incidents; the others it hears of when they need it.
constexpr int kMaxPreparesOnConnect = 100;
// Agents that have gone are listed until so many are known.
constexpr size_t kMaxRememberedAgents = 1000;
// What an Assign holds beside its input.
constexpr size_t kAssignOverhead = 16 << 10;

v1::OrchestratorItem AssignItem(const v1::Incident& incident, std::string input, const v1::Task& task,
                                absl::Duration timeout) {
  v1::OrchestratorItem item;
  auto* assign = item.mutable_assign();
  assign->mutable_lease()->set_incident_id(incident.id());
  assign->mutable_lease()->set_task_id(task.id());
  assign->mutable_lease()->set_attempt(task.attempt());
  assign->mutable_lease()->set_fencing_token(task.fencing_token());
  assign->set_type(task.spec().type());
  assign->set_input_json(std::move(input));
  *assign->mutable_timeout() = ToProto(timeout);
  assign->set_idempotency_key(incident.id() + "/" + task.id());
  return item;
}

bool IsHeldIn(const v1::Hello& hello, const LeaseKey& lease) {
  return std::any_of(hello.running().begin(), hello.running().end(),
                     [&](const v1::LeaseId& running) { return KeyOf(running) == lease; });
}

}  // namespace

void Engine::Enqueue(Live& live, const std::string& task_id) {
  const v1::Task* task = FindTask(live.state, task_id);
  if (task == nullptr || !IsReady(live.state, *task) || !live.queued_tasks.insert(task_id).second) return;
  queues_[task->spec().type()].push_back({live.state.id(), task_id});
  dirty_types_.insert(task->spec().type());
}

void Engine::DispatchAll() {
  GrantLocks();
  while (!dirty_types_.empty()) {
    const std::string type = *dirty_types_.begin();
    dirty_types_.erase(dirty_types_.begin());
    auto& queue = queues_[type];
    // Each waiting task is looked at once: those that find no agent (their labels differ) stay, in order.
    std::deque<QueuedTask> still_waiting;
    while (!queue.empty()) {
      const QueuedTask queued = std::move(queue.front());
      queue.pop_front();
      if (Dispatch(queued)) continue;
      still_waiting.push_back(queued);
      if (registry_.FindRoom(type, {}) == nullptr) break;
    }
    queue.insert(queue.begin(), still_waiting.begin(), still_waiting.end());
  }
}

// False where the task must wait on: no agent has room for it.
bool Engine::Dispatch(const QueuedTask& queued) {
  Live* live = FindLive(queued.incident_id);
  const v1::Task* task = live == nullptr ? nullptr : FindTask(live->state, queued.task_id);
  if (task == nullptr || !IsReady(live->state, *task) || live->state.paused()) {
    if (live != nullptr) live->queued_tasks.erase(queued.task_id);
    return true;
  }
  RegisteredAgent* agent = registry_.FindRoom(task->spec().type(), task->spec().labels());
  if (agent == nullptr) return false;
  live->queued_tasks.erase(queued.task_id);
  OMNIX_CRASH_POINT("engine.before_lease");
  TaskInput input;
  if (!task->spec().input().empty()) {
    Json context = ExpressionContext(live->state, *live->run_by, clock_.Now());
    // Most programs don't ask for it.
    if (task->spec().input().find("prior") != std::string::npos) context["prior"] = prior_.ToJson();
    auto made = MakeTaskInput(task->spec().input(), context, *live->run_by);
    if (!made.ok()) {
      const std::string reason = fmt::format("playbook {}: the input of {} can't be made: {}",
                                             live->run_by->playbook.name(), queued.task_id, Message(made.status()));
      Run(*live, command::Escalate{"orchestrator", reason}).IgnoreError();
      Settle(queued.incident_id);
      return true;
    }
    input = *std::move(made);
  }
  if (input.sent.size() > kMaxLinkItemBytes - kAssignOverhead) {
    const std::string reason = fmt::format(
        "playbook {}: the input of {} has {} bytes, at most {} can be sent to an agent; let its `input` "
        "choose less",
        live->run_by->playbook.name(), queued.task_id, input.sent.size(), kMaxLinkItemBytes - kAssignOverhead);
    Run(*live, command::Escalate{"orchestrator", reason}).IgnoreError();
    Settle(queued.incident_id);
    return true;
  }
  if (!Run(*live, command::AssignTask{queued.task_id, agent->name, std::move(input.kept)}).ok()) return true;
  const v1::Task& assigned = *FindTask(live->state, queued.task_id);
  agent->leases.insert({queued.incident_id, assigned.id(), assigned.attempt()});
  Send(agent->session,
       AssignItem(live->state, std::move(input.sent), assigned, FromProto(assigned.deadline()) - clock_.Now()));
  OMNIX_CRASH_POINT("engine.lease_given");
  Settle(queued.incident_id);
  return true;
}

void Engine::PrepareAgent(RegisteredAgent& agent, const Live& live) {
  v1::OrchestratorItem item;
  item.mutable_prepare()->set_incident_id(live.state.id());
  item.mutable_prepare()->set_title(live.state.title());
  Send(agent.session, std::move(item));
}

void Engine::RollCall(Live& live, const std::vector<std::string>& task_types) {
  if (!live.roll_call_sent) {
    live.roll_call_sent = true;
    for (auto& [name, agent] : registry_.agents()) {
      const bool wanted =
          std::any_of(task_types.begin(), task_types.end(),
                      [&, &types = agent.task_types](const auto& type) { return types.contains(type); });
      if (agent.session != nullptr && wanted) PrepareAgent(agent, live);
    }
  }
  if (task_types.empty()) AnswerRollCall(live);
}

void Engine::AnswerRollCallIfComplete(Live& live) {
  const std::vector<std::string> roll_call = RollCallOf(live.state, live.run_by->playbook);
  if (roll_call.empty()) return;
  const bool complete = std::all_of(roll_call.begin(), roll_call.end(), [&](const std::string& type) {
    return std::any_of(live.prepared_agents.begin(), live.prepared_agents.end(), [&](const std::string& name) {
      const RegisteredAgent* agent = registry_.Find(name);
      return agent != nullptr && agent->session != nullptr && agent->task_types.contains(type);
    });
  });
  if (complete) AnswerRollCall(live);
}

void Engine::AnswerRollCall(Live& live) {
  command::AnswerRollCall answer;
  std::set<std::string> offered;
  for (const auto& name : live.prepared_agents) {
    const RegisteredAgent* agent = registry_.Find(name);
    if (agent == nullptr || agent->session == nullptr) continue;
    v1::RosterEntry entry;
    entry.set_agent(name);
    entry.set_kind(agent->hello.kind());
    entry.set_version(agent->hello.version());
    for (const auto& type : agent->task_types) entry.add_task_types(type);
    offered.insert(agent->task_types.begin(), agent->task_types.end());
    answer.roster.push_back(std::move(entry));
  }
  for (const auto& type : RollCallOf(live.state, live.run_by->playbook)) {
    if (!offered.contains(type)) answer.missing_task_types.push_back(type);
  }
  const std::string incident_id = live.state.id();
  OMNIX_CRASH_POINT("engine.before_roll_call_ends");
  Run(live, std::move(answer)).IgnoreError();
  Settle(incident_id);
}

void Engine::AgentConnected(std::shared_ptr<AgentSession> session, v1::Hello hello) {
  if (!refusing_.ok()) return session->Close(refusing_);
  const std::string name = hello.name();
  const RegisteredAgent* before = registry_.Find(name);
  const bool same_process = before != nullptr && before->hello.instance_id() == hello.instance_id();
  const bool other_process = before != nullptr && before->session != nullptr && !same_process;
  // A drain is meant for the process: it ends with its restart, not with a lost connection.
  const bool drained = same_process && before->draining;
  const auto former = registry_.Connect(session, hello, clock_.Monotonic(), clock_.Now());
  silence_check_at_ = std::min(silence_check_at_, clock_.Monotonic() + options_.lease_duration);
  if (former != nullptr) {
    former->Close(other_process ? AlreadyExists("another process connected as agent '{}'", name)
                                : Aborted("the agent connected again"));
  }
  RegisteredAgent& agent = *registry_.Find(name);
  AdoptLeases(agent, hello);
  agent.draining = drained;
  if (drained) SendDrain(agent, "it was drained before it connected again");
  spdlog::debug("agent {} has {} leases in hand", name, agent.leases.size());
  int prepared = 0;
  for (auto& [id, live] : live_) {
    if (prepared >= kMaxPreparesOnConnect) break;
    PrepareAgent(agent, live);
    ++prepared;
  }
  transaction_.batch.agents.push_back(InfoOf(agent));
  for (const auto& type : agent.task_types) dirty_types_.insert(type);
  OMNIX_CRASH_POINT("engine.agent_welcomed");
  DispatchAll();
}

// Which of the leases that it claims are its own, which of those that it is said to have it knows nothing of, and the
// answer to it.
void Engine::AdoptLeases(RegisteredAgent& agent, const v1::Hello& hello) {
  v1::OrchestratorItem item;
  auto* welcome = item.mutable_welcome();
  welcome->set_link_version(kLinkVersion);
  *welcome->mutable_heartbeat_interval() = ToProto(options_.heartbeat_interval);
  *welcome->mutable_lease_duration() = ToProto(options_.lease_duration);
  std::set<LeaseKey> lost;
  for (const auto& lease : agent.leases) {
    if (!IsHeldIn(hello, lease)) lost.insert(lease);
  }
  std::vector<v1::LeaseId> cancelled;
  for (const auto& running : hello.running()) {
    const v1::Incident* incident = FindOpen(running.incident_id());
    const v1::Task* task = incident == nullptr ? nullptr : FindTask(*incident, running.task_id());
    const bool holds = task != nullptr && task->state() == v1::TASK_STATE_RUNNING && task->agent() == agent.name &&
                       task->attempt() == running.attempt() && task->fencing_token() == running.fencing_token();
    if (holds) {
      agent.leases.insert(KeyOf(running));
    } else if (agent.leases.contains(KeyOf(running))) {
      // It was cancelled meanwhile, and the agent may not have heard of it; its answer gives the place back.
      cancelled.push_back(running);
    } else {
      *welcome->add_unknown() = running;
      RecordStaleWorker(agent, running);
    }
  }
  Send(agent.session, std::move(item));
  for (const auto& lease : cancelled) SendCancel(agent, lease, "cancelled while the link was away");
  LoseLeases(agent, lost, "the agent was restarted, or never got the task");
  // It says itself that it has stopped; one that is only silent may still take back what it had begun.
  for (const auto& lease : lost) StopLingering(lease);
}

// An agent that stood still beyond its lease comes back with an attempt that is over. It is told to stop and forgets
// what it has: this is the only trace that it was there.
void Engine::RecordStaleWorker(const RegisteredAgent& agent, const v1::LeaseId& lease) {
  Live* live = FindLive(lease.incident_id());
  const v1::Task* task = live == nullptr ? nullptr : FindTask(live->state, lease.task_id());
  if (task == nullptr || lease.fencing_token() > task->fencing_token()) return;
  const bool outranked = lease.fencing_token() < task->fencing_token() || task->state() == v1::TASK_STATE_WAITING;
  if (!outranked) return;
  Run(*live, command::FinishTask{lease,
                                 agent.name,
                                 v1::OUTCOME_CANCELLED,
                                 {},
                                 "the agent came back after its lease was lost, and was told to stop"})
      .IgnoreError();
}

void Engine::LoseLeases(RegisteredAgent& agent, const std::set<LeaseKey>& leases, const std::string& reason) {
  for (const auto& lease : leases) {
    OMNIX_CRASH_POINT("engine.before_lease_lost");
    ReleaseLease(agent, lease);
    Live* live = FindLive(lease.incident_id);
    if (live == nullptr) continue;
    Run(*live, command::LoseAttempt{lease.task_id, lease.attempt, fmt::format("{}: {}", agent.name, reason)})
        .IgnoreError();
    Settle(lease.incident_id);
  }
}

void Engine::ReleaseLease(RegisteredAgent& agent, const LeaseKey& lease) {
  if (agent.leases.erase(lease) == 0) return;
  agent.evidence.erase(lease);
  dirty_types_.insert(agent.task_types.begin(), agent.task_types.end());
}

void Engine::SendCancel(const v1::Task& task, const std::string& incident_id, const std::string& reason) {
  const RegisteredAgent* agent = registry_.Find(task.agent());
  if (agent == nullptr || !agent->leases.contains({incident_id, task.id(), task.attempt()})) return;
  v1::LeaseId lease;
  lease.set_incident_id(incident_id);
  lease.set_task_id(task.id());
  lease.set_attempt(task.attempt());
  lease.set_fencing_token(task.fencing_token());
  SendCancel(*agent, lease, reason);
}

void Engine::SendCancel(const RegisteredAgent& agent, const v1::LeaseId& lease, const std::string& reason) {
  v1::OrchestratorItem item;
  *item.mutable_cancel()->mutable_lease() = lease;
  item.mutable_cancel()->set_reason(reason);
  Send(agent.session, std::move(item));
}

void Engine::SendDrain(RegisteredAgent& agent, const std::string& reason) {
  v1::OrchestratorItem item;
  item.mutable_drain()->set_reason(reason);
  Send(agent.session, std::move(item));
}

void Engine::AgentDisconnected(const std::shared_ptr<AgentSession>& session, const std::string& reason) {
  RegisteredAgent* agent = registry_.Disconnect(session);
  if (agent == nullptr) return;
  spdlog::debug("agent {} disconnected: {}", agent->name, reason);
  OMNIX_CRASH_POINT("engine.agent_gone");
  transaction_.batch.agents.push_back(InfoOf(*agent));
  registry_.ForgetBeyond(kMaxRememberedAgents);
}

void Engine::ExpireSilentAgents() {
  for (RegisteredAgent* agent : registry_.SilentSince(clock_.Monotonic() - options_.lease_duration)) {
    OMNIX_CRASH_POINT("engine.agent_silent");
    const std::string name = agent->name;
    spdlog::warn("agent {} has been silent for {}: its leases are given to others", name,
                 omnix::FormatDuration(options_.lease_duration));
    const std::set<LeaseKey> leases = agent->leases;
    LoseLeases(*agent, leases, "silent for " + omnix::FormatDuration(options_.lease_duration));
    if (const auto session = agent->session) {
      registry_.Disconnect(session);
      session->Close(DeadlineExceeded("no heartbeat for {}", omnix::FormatDuration(options_.lease_duration)));
      transaction_.batch.agents.push_back(InfoOf(*agent));
    }
  }
}

}  // namespace omnix
