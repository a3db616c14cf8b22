// What systemd and its journal tell of the services whose model names a unit.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agents/investigation/scene.h"
#include "agents/investigation/unit_history.h"
#include "agents/investigation/unit_state.h"

namespace omnix {

struct UnitFacts {
  const v1::Service* service = nullptr;
  // "shop.service".
  std::string unit;
  // Unset: systemd could not be asked, or the journals are those of other machines.
  std::optional<UnitState> state;
  // Of the window and the day before it. Empty where the journal could not be read; then its only end is that of
  // `state`.
  UnitHistory history;
  std::string evidence;

  // The end after which it was not started again. Null: it is up, or nothing is known.
  const UnitEnd* StandingEnd() const;
  // Crashes since then, and ends of other kinds after which systemd started it again.
  std::vector<const UnitEnd*> UnwantedEndsSince(absl::Time begin) const;
};

// For each service with a `unit`: UnitFacts (evidence of source "systemd"), ServiceLogFacts of what its processes wrote
// in the window, at most 10000 entries, and what changed in the journal (evidence of source kLogChanges). Lines of
// priority "err" and above begin with "[error] " where they do not say themselves that they tell of a failure. systemd
// is asked only where the model has no journal_directory: otherwise the units run elsewhere. What could not be had is
// evidence. Takes at most kUnitsTime, about a second of it for a unit that writes much.
inline constexpr absl::Duration kUnitsTime = absl::Seconds(10);
void ProbeUnits(Scene* scene);

// Null: it has no unit, or nothing is known of it.
const UnitFacts* UnitOf(const Scene& scene, const v1::Service& service);

// "exited with status 1/FAILURE at 2025-09-04T07:14:03Z".
std::string DescribeWithTime(const UnitEnd& end);

}  // namespace omnix
