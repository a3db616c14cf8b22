// Which sources have shown that they live, and what must be told of those that have not. Time is given (monotonic):
// jumps of the wall clock make nobody late. Not thread-safe.
#pragma once

#include <omnix/v1/alert.pb.h>
#include <omnix/v1/alert_source.pb.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace omnix {

class HeartbeatLedger {
 public:
  // All sources are given their whole time from `now` on. `firing`: fingerprints of alerts that fire already; a silent
  // source among them stays overdue until its sign comes.
  HeartbeatLedger(const v1::AlertSources& sources, const std::set<std::string>& firing, absl::Duration now);

  // A sign of life. Errors: NOT_FOUND (no such source; names the known ones).
  absl::Status Sign(const std::string& name, absl::Duration now);
  // A sign of all sources that send this format; false where there is none.
  bool SignByFormat(const std::string& format, absl::Duration now);

  // The alerts that have to be told: of each source that fell silent or came back. The same again until Told.
  std::vector<v1::Alert> Due(absl::Duration now, absl::Time wall) const;
  // These are durable.
  void Told(const std::vector<v1::Alert>& alerts);
  // When the next source that is not overdue becomes so; infinite where there is none.
  absl::Duration NextDue() const;

 private:
  struct Source {
    v1::AlertSource declared;
    absl::Duration deadline;
    // Its alert fires.
    bool told_overdue = false;
    // Overdue since before this program: a sign, not the time, ends it.
    bool awaits_sign = false;
  };
  void Sign(Source& source, absl::Duration now);
  static bool IsOverdue(const Source& source, absl::Duration now);

  std::map<std::string, Source> sources_;
};

// "heartbeat-<name>": the identity of a silent source's alert.
std::string HeartbeatFingerprint(const std::string& source);

}  // namespace omnix
