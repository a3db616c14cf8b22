// What a polled monitor's alerts were when it was last asked, and what has to be told of the difference.
#pragma once

#include <omnix/v1/alert.pb.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace omnix {

// One reading of the monitor.
struct PollReading {
  std::vector<v1::Alert> firing = {};
  // Neither firing nor ended: a known alert among them stays as it is, an unknown one is not told of.
  std::set<std::string> held = {};
  // The monitor has run long enough to know all of its alerts.
  bool settled = true;
  // Tell of all that fire, as monitors that push repeat theirs.
  bool repeat = false;
};

// One thread only.
class PollLedger {
 public:
  // A firing alert that was told of before this program started.
  void Restore(const v1::Alert& alert) { known_[alert.fingerprint()] = {alert, false}; }

  // Whether a known alert is not in the reading.
  bool Misses(const PollReading& reading) const;

  // Alerts to be told: those that fire and are new, or differ from what was told; resolved, those that are missing from
  // two successive readings of a settled monitor. They are due until Took.
  std::vector<v1::Alert> Due(const PollReading& reading, absl::Time now);

  // They are kept by the journal.
  void Took(const std::vector<v1::Alert>& alerts);

  size_t firing() const { return known_.size(); }

 private:
  struct Known {
    v1::Alert alert;
    bool missing = false;
  };
  std::map<std::string, Known> known_;
};

}  // namespace omnix
