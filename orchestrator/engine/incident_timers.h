// The timers of open incidents on the monotonic clock: a jump of the wall clock neither fires one early nor keeps one
// for ever. No threads.
#pragma once

#include <map>
#include <optional>
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
  void Set(const std::string& incident_id, std::vector<Timer> timers, absl::Time now, absl::Duration monotonic);
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
  struct Incident {
    std::vector<Entry> entries;
    // Where it is in the queue: not later than its next timer. Unset: it is not.
    std::optional<absl::Duration> queued;
  };
  using Incidents = std::map<std::string, Incident>;
  // By time, then by id. An incident stays where it is in memory, so that its id need not be kept twice.
  struct Earlier {
    bool operator()(const std::pair<absl::Duration, Incidents::iterator>& a,
                    const std::pair<absl::Duration, Incidents::iterator>& b) const {
      return a.first != b.first ? a.first < b.first : a.second->first < b.second->first;
    }
  };
  void Index(Incidents::iterator incident);
  void Unqueue(Incidents::iterator incident);

  Incidents incidents_;
  std::set<std::pair<absl::Duration, Incidents::iterator>, Earlier> queue_;
};

}  // namespace omnix
