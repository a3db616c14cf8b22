// Alerts that no incident has yet: their grouping rule waits for more occurrences.
#pragma once

#include <omnix/v1/grouping.pb.h>
#include <omnix/v1/operator.pb.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/clock.h"

namespace omnix {

// An occurrence is one beginning of a firing: sent again (same fingerprint, same start) it counts once. All alerts of a
// group (one rule, one key) count together. What is in here is in the journal as well: each change is added to
// `changes`, as Batch::pending_alerts takes it. One thread only.
class PendingAlerts {
 public:
  using Changes = std::vector<std::pair<std::string, std::optional<v1::PendingAlert>>>;
  // Further ones open incidents at once: none is lost.
  static constexpr size_t kMaxPending = 10'000;

  explicit PendingAlerts(const Clock& clock) : clock_(clock) {}

  // What the journal has.
  void Load(std::vector<v1::PendingAlert> pending);
  void Clear();

  // Null where the alert does not wait. Valid until the next change.
  const v1::PendingAlert* Find(const std::string& fingerprint) const;
  bool IsFull() const { return alerts_.size() >= kMaxPending; }

  // The alert fires, or is sent again. True once its group has the occurrences that it needs.
  bool Fires(const v1::Alert& alert, const std::string& rule, const std::string& group, const v1::Occurrences& wanted,
             Changes& changes);
  // It cleared; it waits on, for what it counts.
  void Clears(const v1::Alert& alert, Changes& changes);
  // An incident has it now.
  void Remove(const std::string& fingerprint, Changes& changes);
  struct Taken {
    v1::Alert alert;
    uint32_t occurrences = 1;
  };
  // The alerts of this one's group leave, this one first.
  std::vector<Taken> TakeGroup(const std::string& fingerprint, Changes& changes);
  // How often the alert occurred that fires now, with this time; 1 where it did not wait.
  uint32_t OccurrencesWith(const v1::Alert& alert) const;

  // Forgets those whose last occurrence is too old; gives how many.
  size_t Expire(Changes& changes);
  // Monotonic time of the next Expire that does something; infinite: none.
  absl::Duration NextExpiry() const;

 private:
  using Group = std::pair<std::string, std::string>;
  struct Waiting {
    v1::PendingAlert pending;
    absl::Duration until;  // monotonic
  };

  void Put(v1::PendingAlert pending, absl::Duration until);
  size_t OccurrencesOf(const Group& group, absl::Duration within) const;

  const Clock& clock_;
  std::unordered_map<std::string, Waiting> alerts_;
  std::map<Group, std::set<std::string>> groups_;
  std::set<std::pair<absl::Duration, std::string>> expiries_;
};

// For people, newest first: "2 of 3 occurrences within 10m, rule noisy disks".
std::vector<v1::ListedAlert> ListPending(const std::vector<v1::PendingAlert>& pending);

}  // namespace omnix
