// What earlier incidents turned out to be: a cause whose fix was validated is likelier than one never seen here. Given
// to investigations as `prior`.
#pragma once

#include <omnix/v1/incident.pb.h>

#include <deque>
#include <string>

#include "absl/status/status.h"
#include "common/json.h"
#include "orchestrator/journal/journal.h"

namespace omnix {

// The last kMaxPriorIncidents that were resolved by a validated fix. Engine thread only.
class PriorIncidents {
 public:
  static constexpr size_t kMaxPriorIncidents = 50;

  // From the journal, at the start: of the newest incidents, what their first events tell. Errors: the journal's.
  absl::Status Load(Journal& journal);

  // Takes the incident where it was resolved by a validated fix. The same incident again replaces what it said.
  void Add(const v1::Incident& incident);

  // [{"incident", "resolved_at", "causes": [{"kind", "component", "file"}]}], newest first.
  Json ToJson() const;

 private:
  struct Prior {
    std::string incident;
    Json json;
  };
  std::deque<Prior> priors_;
};

}  // namespace omnix
