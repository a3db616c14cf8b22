// How a systemd unit came to an end, and when, as systemd's own messages in its journal tell.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "agents/investigation/unit_journal.h"

namespace omnix {

struct UnitEnd {
  absl::Time time;
  // Somebody wanted it: systemctl stop or restart, the stop of what the unit is bound to, the machine's shutdown. With
  // whatever status it then ended, it is no crash.
  bool asked = false;
  // A signal that somebody sent by systemctl kill.
  bool signalled = false;
  // The kernel's OOM killer took one of its processes.
  bool oom = false;
  // systemd started it again by itself.
  bool restarted = false;
  // It was started too often: systemd has given up.
  bool gave_up = false;
  // "exited", "killed" or "dumped", and the status or signal as systemd writes it ("1/FAILURE", "203/EXEC", "9/KILL").
  // Empty: systemd named none.
  std::string code;
  std::string status;
  // systemd's word for it: "exit-code", "signal", "oom-kill", "watchdog", "timeout", "start-limit-hit"... "success" or
  // empty: no failure.
  std::string result;

  // A failure that nobody asked for.
  bool IsCrash() const;
  // "exited with status 1/FAILURE", "was killed by the OOM killer", "was stopped on request".
  std::string Describe() const;
};

struct UnitHistory {
  // Oldest first.
  std::vector<UnitEnd> ends;
  // No start came after the last of `ends`.
  bool down = false;
  // When the OOM killer took one of its processes, whether the unit went on or not.
  std::vector<absl::Time> oom_kills;
};

// Of the entries, oldest first, those that systemd wrote count.
UnitHistory ReadUnitHistory(const std::vector<JournalEntry>& entries);

}  // namespace omnix
