// What agents send. An agent is another program, perhaps a broken or a hostile one: it moves only the leases that were
// given to it, each thing it sends is bounded, and what no agent in order can send ends its stream.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "common/agent_link.h"
#include "common/crash_point.h"
#include "common/printable.h"
#include "common/status.h"
#include "orchestrator/core/decision.h"
#include "orchestrator/core/evolve.h"
#include "orchestrator/core/names.h"
#include "orchestrator/engine/engine.h"

namespace omnix {
namespace {

constexpr size_t kMaxProgressBytes = 256;
constexpr size_t kMaxShownBytes = 500;
// Lines that one connection may make the log grow by; what is wrong beyond them is not new.
constexpr int kMaxComplaints = 10;
constexpr size_t kMaxLateResults = 1000;
// Pieces of an attempt on one connection, with those that are sent again.
constexpr size_t kMaxEvidenceReceived = 2 * kMaxEvidencePerTask;

std::string Shown(const std::string& text, size_t most = kMaxShownBytes) {
  return PrintableLine(std::string_view(text).substr(0, most));
}

bool MayComplain(RegisteredAgent& agent) { return ++agent.complaints <= kMaxComplaints; }

// What the incident shows of this attempt already.
EvidenceCount CountEvidence(const v1::Incident& incident, const v1::LeaseId& lease) {
  EvidenceCount count;
  for (const auto& known : incident.evidence()) {
    if (known.task_id() != lease.task_id() || known.attempt() != lease.attempt()) continue;
    ++count.pieces;
    count.bytes += known.ByteSizeLong();
  }
  return count;
}

// The first pieces that the attempt may still report.
std::vector<v1::Evidence> TakeWithinBounds(EvidenceCount& count, v1::EvidenceFound& found) {
  std::vector<v1::Evidence> kept;
  size_t bytes = count.bytes;
  for (auto& evidence : *found.mutable_evidence()) {
    bytes += evidence.ByteSizeLong();
    const bool full = count.pieces + kept.size() >= kMaxEvidencePerTask || bytes > kMaxEvidenceBytesPerTask;
    if (full || ++count.received > kMaxEvidenceReceived) break;
    kept.push_back(std::move(evidence));
  }
  return kept;
}

}  // namespace

void Engine::AgentItems(const std::shared_ptr<AgentSession>& session, std::vector<v1::AgentItem> items) {
  RegisteredAgent* agent = registry_.FindBySession(session.get());
  if (agent == nullptr || !refusing_.ok()) return;
  agent->last_heard = clock_.Monotonic();
  for (auto& item : items) {
    const absl::Status status = HandleItem(*agent, std::move(item));
    if (status.ok()) continue;
    SendAway(*agent, status);
    break;
  }
  DispatchAll();
}

// Its leases stay: an agent in order comes back for them at once, and of any other they run out.
void Engine::SendAway(RegisteredAgent& agent, const absl::Status& why) {
  const auto session = agent.session;
  registry_.Disconnect(session);
  session->Close(why);
  transaction_.batch.agents.push_back(InfoOf(agent));
}

// Errors: no agent in order sends this. A lease that was lost, or an incident that has ended, is no error: the agent
// may not have heard of it yet.
absl::Status Engine::CheckLease(const RegisteredAgent& agent, const v1::LeaseId& lease) const {
  const v1::Incident* incident = FindOpen(lease.incident_id());
  if (incident == nullptr) return absl::OkStatus();
  const v1::Task* task = FindTask(*incident, lease.task_id());
  const bool given = task != nullptr && lease.attempt() > 0 && lease.attempt() <= task->attempt();
  const bool current = given && lease.attempt() == task->attempt();
  if (!given || (current && lease.fencing_token() != task->fencing_token())) {
    return InvalidArgument("a lease on {} of {} (attempt {}, token {}) was never given; send the lease of the Assign",
                           Shown(lease.task_id()), Shown(lease.incident_id()), lease.attempt(), lease.fencing_token());
  }
  if (current && task->agent() != agent.name) {
    return PermissionDenied("the lease on {} of {} (attempt {}) is that of another agent", task->id(), incident->id(),
                            lease.attempt());
  }
  return absl::OkStatus();
}

absl::Status Engine::HandleItem(RegisteredAgent& agent, v1::AgentItem item) {
  switch (item.item_case()) {
    case v1::AgentItem::kHeartbeat:
      HandleHeartbeat(agent, item.heartbeat());
      return absl::OkStatus();
    case v1::AgentItem::kPrepared:
      HandlePrepared(agent, item.prepared());
      return absl::OkStatus();
    case v1::AgentItem::kAccepted:
      return CheckLease(agent, item.accepted().lease());
    case v1::AgentItem::kProgress:
      OMNIX_RETURN_IF_ERROR(CheckLease(agent, item.progress().lease()));
      HandleProgress(agent, item.progress());
      return absl::OkStatus();
    case v1::AgentItem::kEvidence:
      OMNIX_RETURN_IF_ERROR(CheckLease(agent, item.evidence().lease()));
      return HandleEvidence(agent, std::move(*item.mutable_evidence()));
    case v1::AgentItem::kResult:
      OMNIX_RETURN_IF_ERROR(CheckLease(agent, item.result().lease()));
      return HandleResult(agent, std::move(*item.mutable_result()));
    case v1::AgentItem::kHello:
    case v1::AgentItem::ITEM_NOT_SET:
      break;
  }
  return InvalidArgument("an item that may not come here");
}

// A renewal covers all earlier heartbeats: one a transaction is enough, however many came.
void Engine::HandleHeartbeat(RegisteredAgent& agent, const v1::Heartbeat& heartbeat) {
  agent.last_heartbeat_at = clock_.Now();
  for (auto& [session, items] : transaction_.sends) {
    if (session != agent.session || items.empty() || !items.back().has_renew()) continue;
    return items.back().mutable_renew()->set_heartbeat_number(heartbeat.number());
  }
  v1::OrchestratorItem renew;
  renew.mutable_renew()->set_heartbeat_number(heartbeat.number());
  Send(agent.session, std::move(renew));
}

void Engine::HandlePrepared(RegisteredAgent& agent, const v1::Prepared& prepared) {
  // One that is parked takes no roll call.
  Live* live = FindLive(prepared.incident_id());
  if (live == nullptr) return;
  if (prepared.ready()) {
    if (live->prepared_agents.insert(agent.name).second) AnswerRollCallIfComplete(*live);
    return;
  }
  if (!MayComplain(agent)) return;
  spdlog::warn("agent {} is not ready for {}: {}", agent.name, live->state.id(), Shown(prepared.reason()));
}

// Shown live, not kept: of each lease the latest in a transaction.
void Engine::HandleProgress(RegisteredAgent& agent, const v1::Progress& progress) {
  const LeaseKey key = KeyOf(progress.lease());
  if (!agent.leases.contains(key)) return;
  v1::WatchIncidentResponse update;
  *update.mutable_progress()->mutable_lease() = progress.lease();
  update.mutable_progress()->set_text(Shown(progress.text(), kMaxProgressBytes));
  update.mutable_progress()->set_percent(std::min(progress.percent(), 100U));
  update.set_text(fmt::format("{}: {}", progress.lease().task_id(), update.progress().text()));
  const auto [place, is_new] = progress_at_.try_emplace(key, transaction_.progress.size());
  if (is_new) {
    transaction_.progress.push_back(std::move(update));
  } else {
    transaction_.progress[place->second] = std::move(update);
  }
}

absl::Status Engine::HandleEvidence(RegisteredAgent& agent, v1::EvidenceFound found) {
  for (const auto& evidence : found.evidence()) {
    if (evidence.ByteSizeLong() <= kMaxEvidenceItemBytes) continue;
    return ResourceExhausted("a piece of evidence of {} bytes for {}, at most {} are allowed; send an excerpt",
                             evidence.ByteSizeLong(), Shown(found.lease().task_id()), kMaxEvidenceItemBytes);
  }
  // One that is parked has no task that it could belong to.
  Live* live = FindLive(found.lease().incident_id());
  if (live == nullptr || !agent.leases.contains(KeyOf(found.lease()))) return absl::OkStatus();
  const v1::LeaseId lease = found.lease();
  const auto [place, is_first] = agent.evidence.try_emplace(KeyOf(lease));
  EvidenceCount& count = place->second;
  if (is_first) count = CountEvidence(live->state, lease);
  std::vector<v1::Evidence> kept = TakeWithinBounds(count, found);
  if (kept.size() < static_cast<size_t>(found.evidence_size()) && MayComplain(agent)) {
    spdlog::warn(
        "agent {}: {} of {} has reported all the evidence that a task may ({} pieces, {} bytes): the rest is "
        "dropped",
        agent.name, lease.task_id(), lease.incident_id(), kMaxEvidencePerTask, kMaxEvidenceBytesPerTask);
  }
  OMNIX_CRASH_POINT("engine.before_evidence");
  const auto& events = transaction_.batch.events;
  const size_t before = events.size();
  Run(*live, command::RecordEvidence{lease, std::move(kept)}).IgnoreError();
  if (events.size() == before) return absl::OkStatus();
  for (const auto& evidence : events.back().event().evidence_recorded().evidence()) {
    ++count.pieces;
    count.bytes += evidence.ByteSizeLong();
  }
  return absl::OkStatus();
}

absl::Status Engine::HandleResult(RegisteredAgent& agent, v1::Result result) {
  OMNIX_CRASH_POINT("engine.before_result");
  v1::OrchestratorItem ack;
  *ack.mutable_result_ack()->mutable_lease() = result.lease();
  const v1::LeaseId lease = result.lease();
  const LeaseKey key = KeyOf(lease);
  const bool late = !agent.leases.contains(key);
  const bool kept = late && (agent.late_results.size() >= kMaxLateResults || !agent.late_results.insert(key).second);
  // What is kept already is not looked at: it must not bring incidents back from the journal.
  const absl::StatusOr<Live*> found = kept ? nullptr : FindOrUnpark(lease.incident_id());
  if (!found.ok()) {
    agent.late_results.erase(key);
    // Not acknowledged: the agent keeps the result and sends it again when it connects anew.
    spdlog::error("{}: it can't be read back, a result for it waits: {}", lease.incident_id(), Message(found.status()));
    return absl::OkStatus();
  }
  if (Live* live = *found; live != nullptr) {
    OMNIX_RETURN_IF_ERROR(CheckLease(agent, lease));
    command::FinishTask finish{lease, agent.name, result.outcome(), {}, result.error()};
    finish.product = std::move(*result.mutable_product());
    if (const absl::Status status = Run(*live, finish); !status.ok() && MayComplain(agent)) {
      spdlog::warn("result from agent {} refused: {}", agent.name, Message(status));
    }
  } else if (!kept && MayComplain(agent)) {
    spdlog::warn("agent {} sent a result of {} in {}, which is not open", agent.name, Shown(lease.task_id()),
                 Shown(lease.incident_id()));
  }
  ReleaseLease(agent, key);
  StopLingering(key);
  Send(agent.session, std::move(ack));
  OMNIX_CRASH_POINT("engine.result_acked");
  Settle(lease.incident_id());
  return absl::OkStatus();
}

}  // namespace omnix
