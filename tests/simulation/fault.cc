#include "tests/simulation/fault.h"

namespace omnix::simulation {

const char* NameOf(Fault fault) {
  switch (fault) {
    case Fault::kCommitRefused:
      return "commit refused";
    case Fault::kCommitDoneButToldFailed:
      return "commit done, but told failed";
    case Fault::kDiskFull:
      return "disk full for a while";
    case Fault::kSlowDisk:
      return "slow disk";
    case Fault::kReadError:
      return "journal can't be read";
    case Fault::kCrashBeforeCommit:
      return "omnixd crashes before its commit";
    case Fault::kCrashAfterCommit:
      return "omnixd crashes after its commit";
    case Fault::kCrashWhileLettingOut:
      return "omnixd crashes while letting out";
    case Fault::kCrashAtAnyTime:
      return "omnixd crashes at any time";
    case Fault::kLinkCut:
      return "link cut";
    case Fault::kLinkDeafAgent:
      return "link half-open: agent hears nothing";
    case Fault::kLinkDeafOrchestrator:
      return "link half-open: omnixd hears nothing";
    case Fault::kMessageLost:
      return "message lost";
    case Fault::kMessageRepeated:
      return "message repeated";
    case Fault::kMessageDelayed:
      return "message delayed";
    case Fault::kMessageReordered:
      return "message reordered";
    case Fault::kAgentCrash:
      return "agent crashes";
    case Fault::kAgentCrashAfterIntent:
      return "agent crashes between intent and effect";
    case Fault::kAgentCrashAfterEffect:
      return "agent crashes right after an effect";
    case Fault::kAgentFrozen:
      return "agent stands still for a while";
    case Fault::kAgentStopped:
      return "agent stopped and started";
    case Fault::kAgentDrained:
      return "agent drained";
    case Fault::kTaskHangs:
      return "task hangs";
    case Fault::kTaskFails:
      return "task fails";
    case Fault::kTaskSlow:
      return "task slow";
    case Fault::kChangeFails:
      return "change fails half-way";
    case Fault::kLieAnothersLease:
      return "result for another's lease";
    case Fault::kLieOutrankedAttempt:
      return "result of an outranked attempt";
    case Fault::kLieOtherPlan:
      return "application of another plan";
    case Fault::kWallClockForward:
      return "wall clock +10 years";
    case Fault::kWallClockBack:
      return "wall clock -10 years";
    case Fault::kWallClockStands:
      return "wall clock stands still";
    case Fault::kOperatorCommands:
      return "operator commands";
    case Fault::kOperatorRepeats:
      return "operator says it twice";
    case Fault::kOperatorNamesOtherPlan:
      return "operator names another plan";
    case Fault::kAlertRepeated:
      return "alert repeated";
    case Fault::kAlertResolved:
      return "alert resolved";
    case Fault::kAlertBurst:
      return "burst of alerts";
    case Fault::kContention:
      return "200 incidents over 20 resources";
  }
  return "?";
}

}  // namespace omnix::simulation
