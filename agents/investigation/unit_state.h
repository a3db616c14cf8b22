// What the system manager says of a unit now, by systemctl show.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/investigation/unit_history.h"

namespace omnix {

struct UnitState {
  // "active", "inactive", "failed", "activating" (starts, or waits for its next start), "deactivating".
  std::string active;
  // "running", "dead", "auto-restart"...
  std::string sub;
  // systemd's word for its last end; "success": no failure.
  std::string result;
  // Automatic restarts since somebody last started it.
  int restarts = 0;
  // Of its state; InfinitePast: never, or before the manager forgot the unit.
  absl::Time changed = absl::InfinitePast();
  // MemoryMax, bytes. Unset: no limit.
  std::optional<uint64_t> memory_max;
  // Its last end, as far as systemd still knows it. Unset: none, or without a failure.
  std::optional<UnitEnd> last_end;

  bool IsUp() const { return active == "active" || active == "reloading"; }
};

// Whether this machine runs systemd, so that it may be asked.
bool RunsSystemd();

// Errors: NOT_FOUND (no systemctl, or systemd knows no such unit), DEADLINE_EXCEEDED, FAILED_PRECONDITION (systemctl's
// own message).
absl::StatusOr<UnitState> ReadUnitState(const std::string& unit, absl::Duration timeout);

// "Name=value" lines. `boot`: the time that systemd's monotonic times count from. Nothing where the unit is not loaded.
std::optional<UnitState> ParseUnitState(const std::string& shown, absl::Time boot);

}  // namespace omnix
