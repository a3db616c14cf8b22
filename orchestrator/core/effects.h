// What must be in flight for an incident now. Derived from its state, never stored beside it: after a crash the engine
// asks again and carries on.
#pragma once

#include <omnix/v1/incident.pb.h>
#include <omnix/v1/playbook.pb.h>

#include <string>
#include <vector>

#include "absl/time/time.h"

namespace omnix {

enum class TimerKind { kRollCall, kRetry, kAttempt, kApproval, kBudget, kSettle };

struct Timer {
  TimerKind kind = TimerKind::kBudget;
  // Wall-clock time as recorded; the engine turns what is left of it into monotonic time.
  absl::Time at;
  // Task of kRetry and kAttempt, plan hash of kApproval, fingerprint of kSettle.
  std::string subject;
  uint32_t attempt = 0;
  // From when it was set until `at`: a wall clock that was set back while nobody ran must not make the wait longer.
  absl::Duration longest = absl::InfiniteDuration();
};

struct Effects {
  // Task types that the roll call asks for; empty: no roll call.
  std::vector<std::string> roll_call;
  // Tasks that want an agent now (their retry time may still lie ahead: see timers).
  std::vector<std::string> ready_tasks;
  std::vector<std::string> running_tasks;
  // Hash of the plan that the policy must judge; empty: none.
  std::string judge_plan;
  // The plan's resources are wanted.
  bool lock_resources = false;
  std::vector<Timer> timers;
};

// What Effects::roll_call is, by itself.
std::vector<std::string> RollCallOf(const v1::Incident& incident, const v1::Playbook& playbook);

// Pure. `now` decides only which retries are due; with InfinitePast all that wait for one come as timers.
Effects DeriveEffects(const v1::Incident& incident, const v1::Playbook& playbook, absl::Time now);

// The task could be leased: it waits, belongs to what the incident does now, its needs have ended, and where it applies
// a plan, the plan is approved and its resources are locked. A pending retry time does not count.
bool IsReady(const v1::Incident& incident, const v1::Task& task);

// The approved plan whose resources are not locked yet but needed now; null where there is none.
const v1::Plan* WantsResources(const v1::Incident& incident);

// Why a waiting task is not ready, for people; empty where it is.
std::string WhyNotReady(const v1::Incident& incident, const v1::Task& task);

}  // namespace omnix
