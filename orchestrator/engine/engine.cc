#include "orchestrator/engine/engine.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "common/crash_point.h"
#include "common/json.h"
#include "common/status.h"
#include "common/time.h"
#include "orchestrator/core/decide.h"
#include "orchestrator/core/event_text.h"
#include "orchestrator/core/evolve.h"
#include "orchestrator/core/names.h"
#include "orchestrator/playbook/jq.h"
#include "orchestrator/playbook/library.h"

namespace omnix {
namespace {

constexpr absl::Duration kReadAgainAfter = absl::Seconds(1);

// An incident that people have taken over takes no new alert; nor does one whose fix was validated, since it would be
// resolved with an alert that nobody has looked at.
bool TakesAlerts(const v1::Incident& incident) {
  return incident.phase() != v1::PHASE_ESCALATED && incident.phase() != v1::PHASE_DOCUMENTING;
}

// Nothing of it is under way, or will be without a word of a person, a monitor or a timer.
bool WaitsForPeople(const Effects& effects) {
  return effects.ready_tasks.empty() && effects.running_tasks.empty() && effects.roll_call.empty() &&
         !effects.lock_resources &&
         std::ranges::none_of(effects.timers, [](const Timer& timer) { return timer.kind == TimerKind::kRetry; });
}

absl::StatusOr<bool> Holds(const std::string& condition, const Json& context) {
  OMNIX_ASSIGN_OR_RETURN(JqProgram* const program, CachedJqProgram(condition));
  return program->Test(context);
}

}  // namespace

Engine::Engine(EngineOptions options, Configuration configuration, Journal& journal, const Clock& clock)
    : options_(std::move(options)),
      configuration_(std::move(configuration)),
      grouping_(configuration_.grouping),
      journal_(journal),
      clock_(clock),
      started_at_(clock.Now()),
      refusing_(absl::UnavailableError("the journal is being read")),
      pending_(clock) {}

void Engine::Forget(const absl::Status& why) {
  if (refusing_.ok()) open_when_refused_ = open_incidents();
  refusing_ = why;
  for (auto& [name, agent] : registry_.agents()) {
    if (agent.session != nullptr) agent.session->Close(why);
  }
  for (auto& reply : transaction_.replies) reply(why);
  for (auto& [request, sink] : transaction_.watches) sink->OnEnd(why);
  transaction_ = {};
  idle_.clear();
  progress_at_.clear();
  send_places_.clear();
  live_.clear();
  parked_.clear();
  closing_.clear();
  closed_in_write_.clear();
  lingering_.clear();
  alerts_.Clear();
  joins_.Clear();
  flaps_.Clear();
  pending_.Clear();
  registry_ = {};
  silence_check_at_ = -absl::InfiniteDuration();
  queues_.clear();
  dirty_types_.clear();
  timers_.Clear();
  locks_.Clear();
  run_by_.ForgetWritten();
  day_counters_.clear();
  OMNIX_CRASH_POINT("engine.forgotten");
}

absl::Status Engine::Run(Live& live, Command command) {
  auto events = Decide(live.state, live.run_by->playbook, std::move(command), clock_.Now());
  if (!events.ok()) return events.status();
  Record(live, *std::move(events));
  OMNIX_CRASH_POINT("engine.recorded");
  return absl::OkStatus();
}

void Engine::Record(Live& live, std::vector<v1::Event> events) {
  bool resources_changed = false;
  if (!events.empty()) live.changed_in = transaction_number_;
  for (auto& event : events) {
    if (event.has_task_cancelled()) {
      if (const v1::Task* task = FindTask(live.state, event.task_cancelled().task_id())) {
        SendCancel(*task, live.state.id(), event.task_cancelled().reason());
      }
    }
    resources_changed |= event.has_resources_locked() || event.has_resources_released();
    v1::RecordedEvent recorded;
    recorded.set_text(EventText(event));
    transaction_.batch.payloads.push_back(SerializeDeterministically(event));
    *recorded.mutable_event() = std::move(event);
    transaction_.batch.events.push_back(std::move(recorded));
  }
  if (resources_changed) UpdateLocks(live.state);
}

// Brings what is in flight for an incident in line with its state, until nothing more follows by itself.
void Engine::Settle(const std::string& incident_id) {
  while (Live* live = FindLive(incident_id)) {
    if (IsClosed(live->state.phase())) return CloseIfEnded(incident_id);
    // Waits for another attempt end by the timers' monotonic clock alone: the wall clock may have jumped over them.
    Effects effects = DeriveEffects(live->state, live->run_by->playbook, absl::InfinitePast());
    if (ApplyImmediateEffects(*live, effects)) continue;
    const bool waits_for_people = WaitsForPeople(effects);
    timers_.Set(incident_id, std::move(effects.timers), clock_.Now(), clock_.Monotonic());
    for (const auto& task_id : effects.ready_tasks) Enqueue(*live, task_id);
    if (effects.lock_resources) {
      locks_.Wait(incident_id, WantsResources(live->state)->resources());
    } else {
      locks_.StopWaiting(incident_id);
    }
    joins_.SetTaking(incident_id, TakesAlerts(live->state));
    NameSuspects(*live);
    SetIdle(*live, waits_for_people && live->queued_tasks.empty());
    if (!effects.roll_call.empty()) RollCall(*live, effects.roll_call);
    return;
  }
}

// Effects that the engine answers itself and at once. True where the state changed by it.
bool Engine::ApplyImmediateEffects(Live& live, const Effects& effects) {
  if (!effects.judge_plan.empty()) {
    const Json context = ExpressionContext(live.state, *live.run_by, clock_.Now());
    OMNIX_CRASH_POINT("engine.before_policy");
    const PolicyOutcome outcome = EvaluatePolicy(live.run_by->policy, context);
    return Run(live, command::DecidePolicy{effects.judge_plan, outcome.decision, outcome.rule, outcome.reason}).ok();
  }
  for (const auto& task_id : effects.ready_tasks) {
    const v1::Task* task = FindTask(live.state, task_id);
    if (task->spec().when().empty() || task->attempt() > 0 || live.queued_tasks.contains(task_id)) continue;
    const auto wanted = Holds(task->spec().when(), ExpressionContext(live.state, *live.run_by, clock_.Now()));
    if (wanted.ok() && *wanted) continue;
    const std::string reason = wanted.ok() ? "its condition does not hold: " + task->spec().when()
                                           : "its condition can't be evaluated: " + Message(wanted.status());
    return Run(live, command::SkipTask{task_id, reason}).ok();
  }
  return false;
}

void Engine::CloseIfEnded(const std::string& incident_id) {
  const auto found = live_.find(incident_id);
  if (found == live_.end() || !IsClosed(found->second.state.phase())) return;
  alerts_.Close(incident_id);
  prior_.Add(found->second.state);
  joins_.Remove(incident_id);
  SetIdle(found->second, false);
  timers_.Remove(incident_id);
  locks_.StopWaiting(incident_id);
  closing_.insert(live_.extract(found));
  OMNIX_CRASH_POINT("engine.incident_closed");
}

Engine::Live* Engine::FindLive(const std::string& incident_id) {
  const auto found = live_.find(incident_id);
  return found == live_.end() ? nullptr : &found->second;
}

const v1::Incident* Engine::FindOpen(const std::string& incident_id) const {
  const auto found = live_.find(incident_id);
  return found == live_.end() ? nullptr : &found->second.state;
}

void Engine::Send(const std::shared_ptr<AgentSession>& session, v1::OrchestratorItem item) {
  if (session == nullptr) return;
  auto& sends = transaction_.sends;
  const auto [place, is_new] = send_places_.try_emplace(session.get(), sends.size());
  if (is_new) sends.emplace_back(session, std::vector<v1::OrchestratorItem>());
  sends[place->second].second.push_back(std::move(item));
}

void Engine::Fire(const std::string& incident_id, const Timer& timer) {
  const auto found = FindOrUnpark(incident_id);
  if (!found.ok()) {
    spdlog::error("{}: it can't be read back, its timer fires again later: {}", incident_id, Message(found.status()));
    return timers_.SetAgain(incident_id, timer, clock_.Monotonic() + kReadAgainAfter);
  }
  Live* live = *found;
  if (live == nullptr) return;
  OMNIX_CRASH_POINT("engine.timer_fired");
  switch (timer.kind) {
    case TimerKind::kRollCall:
      AnswerRollCall(*live);
      break;
    case TimerKind::kRetry:
      // The wall clock may lag behind; the monotonic one says that the wait is over.
      Enqueue(*live, timer.subject);
      break;
    case TimerKind::kAttempt: {
      const v1::Task* task = FindTask(live->state, timer.subject);
      if (task == nullptr || task->state() != v1::TASK_STATE_RUNNING || task->attempt() != timer.attempt) break;
      SendCancel(*task, incident_id, "its time is up");
      if (RegisteredAgent* agent = registry_.Find(task->agent())) {
        ReleaseLease(*agent, {incident_id, task->id(), task->attempt()});
      }
      Run(*live, command::LoseAttempt{timer.subject, timer.attempt,
                                      fmt::format("no answer from {} before the time was up", task->agent())})
          .IgnoreError();
      break;
    }
    case TimerKind::kApproval:
      Run(*live, command::ExpireApproval{timer.subject}).IgnoreError();
      break;
    case TimerKind::kSettle:
      Run(*live, command::SettleAlert{timer.subject}).IgnoreError();
      break;
    case TimerKind::kBudget:
      Run(*live, command::ExpireBudget{}).IgnoreError();
      break;
  }
  Settle(incident_id);
}

void Engine::Tick() {
  if (!refusing_.ok()) return;
  for (const auto& [incident_id, timer] : timers_.TakeDue(clock_.Monotonic())) Fire(incident_id, timer);
  if (clock_.Monotonic() >= silence_check_at_) {
    ExpireSilentAgents();
    silence_check_at_ = registry_.EarliestHeard() + options_.lease_duration;
  }
  ExpireLingering();
  pending_.Expire(transaction_.batch.pending_alerts);
  DispatchAll();
}

absl::Duration Engine::NextTick() const {
  // A tick does nothing then, however late it is.
  if (!refusing_.ok()) return absl::InfiniteDuration();
  absl::Duration next = std::min({timers_.NextDue(), silence_check_at_, pending_.NextExpiry()});
  for (const auto& [incident_id, lingering] : lingering_) next = std::min(next, lingering.until);
  return next;
}

Transaction Engine::TakeTransaction() {
  ParkIdle();
  // The one taken before is durable: so are the incidents that it closed.
  closed_in_write_ = std::exchange(closing_, {});
  ++transaction_number_;
  Transaction taken = std::move(transaction_);
  transaction_ = {};
  progress_at_.clear();
  send_places_.clear();
  return taken;
}

}  // namespace omnix
