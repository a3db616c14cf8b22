// The timers of open incidents on the monotonic clock: a jump of the wall clock neither fires one early nor keeps one
// for ever. No threads.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "orchestrator/core/effects.h"

namespace omnix {

class IncidentTimers {
 public:
  // Replaces the incident's timers. One that was set already keeps its due time, whatever the wall clock says now.
  void Set(const std::string& incident_id, const std::vector<Timer>& timers, absl::Time now, absl::Duration monotonic);
  // One that TakeDue gave fires again at `due`.
  void SetAgain(const std::string& incident_id, const Timer& timer, absl::Duration due);
  void Remove(const std::string& incident_id);
  void Clear();

  // Takes out the timers that are due.
  std::vector<std::pair<std::string, Timer>> TakeDue(absl::Duration monotonic);

  // When to call TakeDue next (monotonic): no later than the next one is due; infinite where there is none.
  absl::Duration NextDue() const;

 private:
  struct Entry {
    Timer timer;
    absl::Duration due;
    bool fired = false;
  };
  void Index(const std::string& incident_id);
  void Unqueue(std::map<std::string, absl::Duration>::iterator queued);

  std::map<std::string, std::vector<Entry>> entries_;
  // Where each incident is in the queue: not later than its next timer.
  std::map<std::string, absl::Duration> next_;
  std::set<std::pair<absl::Duration, std::string>> queue_;
};

}  // namespace omnix
