// Promise 6: an incident never waits silently. What it waits for, since when, and what the operator can do.
#include "common/status.h"
#include "common/time.h"
#include "orchestrator/core/decision.h"
#include "orchestrator/core/evolve.h"
#include "orchestrator/core/names.h"
#include "orchestrator/engine/engine.h"

namespace omnix {
namespace {

v1::Waiting MakeWaiting(std::string what, const google::protobuf::Timestamp& since, std::string hint = "") {
  v1::Waiting waiting;
  waiting.set_what(std::move(what));
  *waiting.mutable_since() = since;
  waiting.set_hint(std::move(hint));
  return waiting;
}

std::string LabelsText(const v1::TaskSpec& spec) {
  std::string text;
  for (const auto& [name, value] : spec.labels()) text += fmt::format(" with label {}={}", name, value);
  return text;
}

}  // namespace

std::string Engine::WaitingForAgent(const v1::Task& task) const {
  if (registry_.Offers(task.spec().type(), task.spec().labels())) {
    return fmt::format("room at an agent that offers {}{}", task.spec().type(), LabelsText(task.spec()));
  }
  return fmt::format("no agent offers {}{}", task.spec().type(), LabelsText(task.spec()));
}

std::vector<v1::Waiting> Engine::WaitingOf(const Live& live) const {
  const v1::Incident& incident = live.state;
  const auto& since_phase = incident.visits(incident.visits_size() - 1).entered_at();
  std::vector<v1::Waiting> waiting;
  if (incident.paused()) {
    waiting.push_back(
        MakeWaiting("paused by an operator", incident.updated_at(), "omnix incident resume " + incident.id()));
  }
  const v1::Recovery* recovery = CurrentRecovery(incident);
  if (recovery != nullptr && recovery->approval().state() == v1::APPROVAL_STATE_REQUESTED) {
    waiting.push_back(MakeWaiting("approval of plan " + recovery->plan().hash().substr(0, 12),
                                  recovery->approval().requested_at(), "omnix incident approve " + incident.id()));
  }
  if (incident.phase() == v1::PHASE_MOBILIZING) {
    std::string missing;
    for (const auto& type : RollCallOf(incident, live.run_by->playbook)) {
      if (!registry_.Offers(type, {})) missing += (missing.empty() ? "" : ", ") + type;
    }
    waiting.push_back(MakeWaiting(
        missing.empty() ? "the agents' answers to the roll call" : "the roll call: no agent offers " + missing,
        since_phase, missing.empty() ? "" : "start the missing agents"));
  }
  for (const auto& task : incident.tasks()) {
    if (task.state() == v1::TASK_STATE_RUNNING) {
      waiting.push_back(MakeWaiting(fmt::format("{} on {} (attempt {})", task.id(), task.agent(), task.attempt()),
                                    task.started_at()));
    } else if (task.state() == v1::TASK_STATE_WAITING && IsCurrent(incident, task) && !incident.paused()) {
      if (!IsReady(incident, task)) continue;
      if (task.has_not_before() && FromProto(task.not_before()) > clock_.Now()) {
        waiting.push_back(MakeWaiting(fmt::format("the next attempt of {} at {}; the last one failed: {}", task.id(),
                                                  FormatTime(task.not_before()), task.reason()),
                                      incident.updated_at()));
      } else {
        waiting.push_back(MakeWaiting(fmt::format("{}: {}", task.id(), WaitingForAgent(task)), since_phase,
                                      "start an agent for it, or look at: omnix agent list"));
      }
    }
  }
  if (const v1::Plan* plan = WantsResources(incident)) {
    const auto obstacle = locks_.InTheWayOf(incident.id(), plan->resources());
    if (obstacle.incident_id == incident.id()) {
      waiting.push_back(MakeWaiting("the agent that is still changing " + obstacle.resource + " for it, to stop",
                                    incident.updated_at()));
    } else if (!obstacle.incident_id.empty()) {
      waiting.push_back(MakeWaiting(fmt::format("{}, which {} {}", obstacle.resource, obstacle.incident_id,
                                                obstacle.holds ? "is changing" : "waits for, too, and came first"),
                                    incident.updated_at()));
    }
  }
  if (incident.phase() == v1::PHASE_ESCALATED && incident.rollback_by().empty()) {
    waiting.push_back(
        MakeWaiting("an operator: " + incident.ended_reason(), since_phase, "omnix incident show " + incident.id()));
  }
  return waiting;
}

}  // namespace omnix
