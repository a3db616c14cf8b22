// What can go wrong in the simulation, and how often it did.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace omnix::simulation {

enum class Fault {
  // Journal and omnixd.
  kCommitRefused,
  kCommitDoneButToldFailed,
  kDiskFull,
  kSlowDisk,
  kReadError,
  kCrashBeforeCommit,
  kCrashAfterCommit,
  kCrashWhileLettingOut,
  kCrashAtAnyTime,
  // Link.
  kLinkCut,
  kLinkDeafAgent,
  kLinkDeafOrchestrator,
  kMessageLost,
  kMessageRepeated,
  kMessageDelayed,
  kMessageReordered,
  // Agents.
  kAgentCrash,
  kAgentCrashAfterIntent,
  kAgentCrashAfterEffect,
  kAgentFrozen,
  kAgentStopped,
  kAgentDrained,
  kTaskHangs,
  kTaskFails,
  kTaskSlow,
  kChangeFails,
  kLieAnothersLease,
  kLieOutrankedAttempt,
  kLieOtherPlan,
  // Clocks.
  kWallClockForward,
  kWallClockBack,
  kWallClockStands,
  // People and monitors.
  kOperatorCommands,
  kOperatorRepeats,
  kOperatorNamesOtherPlan,
  kAlertRepeated,
  kAlertResolved,
  kAlertBurst,
  // 200 incidents over 20 resources.
  kContention,
};
inline constexpr size_t kFaults = static_cast<size_t>(Fault::kContention) + 1;

// "link cut": for traces and tables.
const char* NameOf(Fault fault);

// How often each happened.
using FaultCounts = std::array<uint64_t, kFaults>;

}  // namespace omnix::simulation
