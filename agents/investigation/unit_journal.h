// The journal of a systemd unit, read by journalctl: what the unit's processes wrote, and what the system manager said
// of the unit.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace omnix {

// syslog's "err": this and lower numbers tell of a failure.
inline constexpr int kJournalError = 3;
inline constexpr int kJournalInfo = 6;

struct JournalEntry {
  absl::Time time;
  // As in syslog: 0 (emerg) to 7 (debug); kJournalInfo where the entry has none.
  int priority = kJournalInfo;
  // Written by the system manager about the unit. The journal vouches for it: no program can write such an entry.
  bool by_systemd = false;
  // May hold several lines, and bytes that are no UTF-8.
  std::string message;
};

struct JournalQuery {
  // "shop.service"; see common/unit_name.h.
  std::string unit;
  // Folder of journal files. Empty: this machine's journal.
  std::string directory;
  absl::Time since = absl::InfinitePast();
  absl::Time until = absl::InfiniteFuture();
  // The newest ones of that time are given.
  size_t max_entries = 0;
  // Only what systemd says of the unit: few entries, however much the unit writes.
  bool by_systemd_only = false;
  absl::Duration timeout = absl::Seconds(4);
};

struct UnitJournal {
  // Oldest first.
  std::vector<JournalEntry> entries;
  // There may be older ones: more than max_entries or 16 MB, or the time was up.
  bool truncated = false;
};

// Errors: NOT_FOUND (no journalctl, no such folder), PERMISSION_DENIED (this user may not see the system's journal),
// DEADLINE_EXCEEDED (the time was up before anything came), FAILED_PRECONDITION (journalctl's own message).
absl::StatusOr<UnitJournal> ReadUnitJournal(const JournalQuery& query);

// One line of `journalctl -o json`. Nothing where it is none, or has no time or message.
std::optional<JournalEntry> ParseJournalEntry(std::string_view line);

}  // namespace omnix
