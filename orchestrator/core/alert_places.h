// Where each alert stands in an incident's list: an aid to Evolve and Decide for incidents with many alerts, so that a
// storm of n alerts costs n steps and not n * n. It holds nothing that the incident doesn't: made anew it is the same.
#pragma once

#include <omnix/v1/incident.pb.h>

#include <cstddef>
#include <string>
#include <unordered_map>

namespace omnix {

// Place of the alert with this fingerprint, by looking at each; -1 where the incident has none.
int FindAlert(const v1::Incident& incident, const std::string& fingerprint);

// Belongs to one incident object for its life. The incident's alerts may be appended to and read anew (same fingerprint
// at the same place), as Evolve does; nothing else. Not thread-safe.
class AlertPlaces {
 public:
  // As FindAlert.
  int Find(const v1::Incident& incident, const std::string& fingerprint);

  // There are alerts, and all of them have cleared.
  bool AllCleared(const v1::Incident& incident);

 private:
  // By hash of the fingerprint, up to `known_`.
  std::unordered_multimap<size_t, int> places_;
  int known_ = 0;
  // Where an alert that had not cleared was seen last.
  int open_ = 0;
};

}  // namespace omnix
