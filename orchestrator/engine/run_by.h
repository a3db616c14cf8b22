// What incidents run by, read back from their pins, and the evaluation of playbook expressions over an incident.
#pragma once

#include <omnix/v1/grouping.pb.h>
#include <omnix/v1/incident.pb.h>
#include <omnix/v1/playbook.pb.h>
#include <omnix/v1/system_model.pb.h>

#include <array>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/json.h"
#include "orchestrator/engine/dependency_graph.h"
#include "orchestrator/journal/journal.h"

namespace omnix {

// What omnixd was started with: used for new incidents.
struct Configuration {
  v1::SystemModel system;
  // In order of preference; the built-in playbook follows the last one.
  std::vector<v1::Playbook> playbooks;
  v1::Policy policy;
  // Of the alerts.
  v1::Grouping grouping;
};

// One incident's pinned contents. Shared by all incidents with the same pins; immutable.
struct RunBy {
  v1::Playbook playbook;
  v1::SystemModel system;
  Json system_json;
  // The same, as DumpJson writes it.
  std::string system_text;
  v1::Policy policy;
  DependencyGraph graph;
};

// One engine thread only.
class RunByCache {
 public:
  // The pins for a new incident; their contents are added to `new_pins` the first time. What is given stays where it
  // is, unchanged, as long as this object lives: it is serialized and hashed once. The result is valid as long.
  const v1::Pins& PinsFor(const v1::Playbook& playbook, const v1::SystemModel& system, const v1::Policy& policy,
                          std::vector<Pin>& new_pins);

  // Errors: those of Journal::ReadPin; DATA_LOSS where a pin's content can't be read.
  absl::StatusOr<std::shared_ptr<const RunBy>> Load(const v1::Pins& pins, Journal& journal);

  // A batch with new pins was lost: they will be written again.
  void ForgetWritten() { written_.clear(); }

 private:
  struct Made {
    v1::Pins pins;
    std::vector<Pin> contents;
  };
  const Made& Make(const v1::Playbook& playbook, const v1::SystemModel& system, const v1::Policy& policy);

  std::map<std::string, std::shared_ptr<const RunBy>> loaded_;
  std::map<std::array<const void*, 3>, Made> made_;
  // Hashes of the pins that the journal has, or the transaction that is being built.
  std::set<std::string> written_;
};

// What playbook conditions and inputs see: {incident, system, explanation, hypotheses, plan, approval, application,
// now}; inputs see `prior` (PriorIncidents) as well.
Json ExpressionContext(const v1::Incident& incident, const RunBy& run_by, absl::Time now);

}  // namespace omnix
