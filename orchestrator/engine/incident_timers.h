// The timers of open incidents on the monotonic clock: a jump of the wall clock neither fires one early nor keeps one
// for ever. No threads.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
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
    std::string id;
    std::vector<Entry> entries;
    // Where it is in the queue: not later than its next timer. Unset: it is not.
    std::optional<absl::Duration> queued;
  };
  using Queued = std::pair<absl::Duration, Incident*>;
  // By time, then by id.
  struct Earlier {
    bool operator()(const Queued& a, const Queued& b) const {
      return a.first != b.first ? a.first < b.first : a.second->id < b.second->id;
    }
  };
  // Null: unknown.
  Incident* Known(const std::string& incident_id) const;
  void Index(Incident& incident);
  void Unqueue(Incident& incident);

  // By their ids, which are in them.
  absl::flat_hash_map<std::string_view, std::unique_ptr<Incident>, std::hash<std::string_view>> incidents_;
  absl::btree_set<Queued, Earlier> queue_;
};

}  // namespace omnix
