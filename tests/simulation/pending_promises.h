// What Omnix promises of alerts that wait for more occurrences, checked against what is durable.
#pragma once

#include <omnix/v1/event.pb.h>
#include <omnix/v1/grouping.pb.h>

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "absl/time/time.h"
#include "orchestrator/journal/journal.h"

namespace omnix::simulation {

class PendingPromises {
 public:
  // Told of each broken promise: which one, and how.
  using Break = std::function<void(const std::string& promise, const std::string& how)>;

  // `wanted`: what the rule in force asks of all alerts; none: nothing may wait.
  PendingPromises(std::optional<v1::Occurrences> wanted, Break broken)
      : wanted_(std::move(wanted)), break_(std::move(broken)) {}

  // The journal has this batch, `now` in monotonic time. Its openings are checked first.
  void Kept(const Batch& batch, absl::Duration now);
  // An alert of a request that was sent then is acknowledged as one that waits.
  void Acknowledged(const v1::Alert& alert, absl::Duration sent_at);
  // The journal gives what was put into it.
  void CheckJournal(Journal& journal);
  // A group that has all occurrences which it needs has opened its incident. `slack`: how long an alert may be on its
  // way.
  void CheckNoneIsOverdue(absl::Duration slack);

 private:
  using Starts = std::set<absl::Time>;

  // An alert opens an incident once there are as many occurrences as its rule wants, of it and of those with it.
  void CheckOpened(const v1::IncidentOpened& opened, const std::map<std::string, Starts>& starts);

  const std::optional<v1::Occurrences> wanted_;
  const Break break_;
  // By fingerprint.
  std::map<std::string, v1::PendingAlert> pending_;
  std::map<std::string, absl::Duration> left_at_;
};

}  // namespace omnix::simulation
