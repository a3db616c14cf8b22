// One run of the lean world under load, from nothing to the end of all incidents, with one program dying on the way.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/crash/load.h"
#include "tests/crash/world.h"

namespace omnix::testing {

enum class Plot {
  // omnixd is stopped by SIGTERM in the middle and started again (its second life); at the end it is stopped once more.
  kPlain,
  // One commit reports an error although it happened.
  kCommitToldFailed,
  // The script agent stands still for longer than its lease.
  kSilentAgent,
  // So much is written that the journal's log is moved into its file on the way.
  kLongLog,
};

// Where a program dies: at the count-th pass of the point in its n-th life.
struct Death {
  std::string program;
  int life = 1;
  std::string point;
  int count = 1;
};

struct Story {
  Plot plot = Plot::kPlain;
  std::optional<Death> death;
  // kCommitToldFailed: which commit.
  int failed_commit = 10;
};

std::string Describe(const Story& story);

// Passes of each point by (program, life).
using Passes = std::map<std::pair<std::string, int>, std::map<std::string, int>>;

struct Told {
  Ledger ledger;
  // Leases that an agent got, and those whose results were acknowledged to it.
  std::vector<v1::LeaseId> assigned;
  std::vector<v1::LeaseId> acknowledged_results;
  // Whether the death came.
  bool died = false;
  // Only where it was asked for: it costs time.
  Passes passes;
};

enum class Tracing { kNo, kYes };

// Fails the test where the programs don't come to an end in time, or die otherwise than asked for.
Told Tell(const Story& story, CrashWorld& world, Tracing tracing);

}  // namespace omnix::testing
