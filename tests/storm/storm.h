// A storm: the alerts of one failure, as fast as they can be sent, and what omnixd is like meanwhile.
#pragma once

#include "tests/bench/support/disk_probe.h"
#include "tests/storm/flood.h"
#include "tests/storm/operator_probe.h"
#include "tests/storm/server.h"

namespace omnix::storm {

struct StormFigures {
  FloodResult flood;
  Waits operators;
  // What the disk took meanwhile for commits of somebody else.
  bench::DiskSyncs disk;
  uint64_t incidents = 0;
  // Different alerts in the journal.
  uint64_t kept = 0;
  // How often they came, as the journal has it.
  uint64_t counted = 0;
  double resident_mib_before = 0;
  // With the first tenth taken: buffers and caches have their size by then.
  double resident_mib_early = 0;
  double resident_mib_most = 0;
  double cpu_us_per_alert = 0;
};

// `options.port` is filled in.
StormFigures RunStorm(Server& server, FloodOptions options);

}  // namespace omnix::storm
