// Who watches which incident. Used by the publishing thread alone, so that a watcher sees what is in the journal and
// what comes without a gap.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/engine/ports.h"
#include "orchestrator/journal/journal.h"

namespace omnix {

class WatchHub {
 public:
  explicit WatchHub(Journal& journal) : journal_(journal) {}

  // Shows the sink what the journal has after request.after_sequence; live updates follow. Ends at once with NOT_FOUND
  // for an unknown incident.
  void Add(const v1::WatchIncidentRequest& request, std::shared_ptr<WatchSink> sink);
  void Show(const v1::WatchIncidentResponse& update, const std::string& incident_id);
  bool HasWatchers() const { return !watchers_.empty(); }
  void EndAll(const absl::Status& status);

  // From any thread: the sink is dropped before the next update.
  void Remove(const std::shared_ptr<WatchSink>& sink);

 private:
  struct Watcher {
    std::shared_ptr<WatchSink> sink;
    uint64_t last_sequence = 0;
  };
  void DropRemoved();
  // False once the watcher is done.
  static bool Offer(Watcher& watcher, const v1::WatchIncidentResponse& update, bool ends_with_incident);

  Journal& journal_;
  // By incident; the empty id watches all.
  std::map<std::string, std::vector<Watcher>> watchers_;
  std::mutex mutex_;
  std::set<std::shared_ptr<WatchSink>> removed_;
};

}  // namespace omnix
