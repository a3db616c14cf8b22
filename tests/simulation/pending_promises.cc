#include "tests/simulation/pending_promises.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/json.h"
#include "common/time.h"

namespace omnix::simulation {
namespace {

constexpr char kKept[] = "an acknowledged alert is kept";
constexpr char kCounted[] = "an incident opens with the occurrence that its rule waits for";

void AddStarts(const v1::PendingAlert& pending, std::set<absl::Time>& starts) {
  for (const auto& occurrence : pending.occurrences()) starts.insert(FromProto(occurrence.starts_at()));
}

}  // namespace

void PendingPromises::Kept(const Batch& batch, absl::Duration now) {
  // Occurrences that came and led to an incident in one transaction were never seen to wait.
  std::map<std::string, Starts> starts;
  for (const auto& [fingerprint, pending] : pending_) AddStarts(pending, starts[fingerprint]);
  for (const auto& [fingerprint, pending] : batch.pending_alerts) {
    if (pending) AddStarts(*pending, starts[fingerprint]);
  }
  for (const auto& recorded : batch.events) {
    if (recorded.event().has_incident_opened()) CheckOpened(recorded.event().incident_opened(), starts);
  }
  for (const auto& [fingerprint, pending] : batch.pending_alerts) {
    if (!wanted_) break_(kCounted, fingerprint + " waits, and no rule says so");
    if (pending) {
      pending_[fingerprint] = *pending;
    } else {
      pending_.erase(fingerprint);
      left_at_[fingerprint] = now;
    }
  }
}

void PendingPromises::CheckOpened(const v1::IncidentOpened& opened, const std::map<std::string, Starts>& starts) {
  // People open and split as they like.
  if (!wanted_ || opened.by().starts_with("operator:") || !opened.split_from().empty()) return;
  size_t occurrences = 0;
  for (const auto& alert : opened.alerts()) {
    const auto found = starts.find(alert.fingerprint());
    Starts its = found == starts.end() ? Starts() : found->second;
    its.insert(FromProto(alert.starts_at()));
    occurrences += its.size();
  }
  if (occurrences < wanted_->count()) {
    break_(kCounted, fmt::format("{} opened one after {} of {} occurrences", opened.alerts(0).fingerprint(),
                                 occurrences, wanted_->count()));
  }
}

void PendingPromises::Acknowledged(const v1::Alert& alert, absl::Duration sent_at) {
  const std::string& fingerprint = alert.fingerprint();
  if (const auto left = left_at_.find(fingerprint); left != left_at_.end() && left->second >= sent_at) return;
  const auto found = pending_.find(fingerprint);
  if (found == pending_.end())
    return break_(kKept, fmt::format("{} was said to wait, the journal lacks it", fingerprint));
  if (alert.status() != v1::ALERT_STATUS_FIRING) return;
  const auto& occurrences = found->second.occurrences();
  const bool counted = std::any_of(occurrences.begin(), occurrences.end(), [&](const v1::Occurrence& occurrence) {
    // A later one may have displaced it: the oldest go where there are as many as are needed, or time has passed.
    return FromProto(occurrence.starts_at()) == FromProto(alert.starts_at()) ||
           FromProto(occurrence.received_at()) >= FromProto(alert.received_at());
  });
  if (!counted) break_(kKept, fmt::format("an occurrence of {} was acknowledged, the journal lacks it", fingerprint));
}

void PendingPromises::CheckJournal(Journal& journal) {
  const auto kept = journal.ReadPendingAlerts();
  if (!kept.ok()) return break_(kKept, "those that wait can't be read");
  std::map<std::string, std::string> expected, read;
  for (const auto& [fingerprint, pending] : pending_) expected[fingerprint] = SerializeDeterministically(pending);
  for (const auto& pending : *kept) read[pending.alert().fingerprint()] = SerializeDeterministically(pending);
  if (read != expected) break_(kKept, "those that wait are others in the journal");
}

void PendingPromises::CheckNoneIsOverdue(absl::Duration slack) {
  if (!wanted_) return;
  std::map<std::string, std::set<std::pair<absl::Time, std::string>>> groups;
  for (const auto& [fingerprint, pending] : pending_) {
    for (const auto& occurrence : pending.occurrences()) {
      groups[pending.group()].insert({FromProto(occurrence.received_at()), fingerprint});
    }
  }
  const absl::Duration within = FromProto(wanted_->within()) - slack;
  for (const auto& [group, occurrences] : groups) {
    const absl::Time newest = occurrences.rbegin()->first;
    size_t count = 0;
    for (const auto& [received_at, fingerprint] : occurrences) count += newest - received_at <= within ? 1 : 0;
    if (count >= wanted_->count()) {
      break_(kCounted, fmt::format("{} of {} occurrences wait (group '{}')", count, wanted_->count(), group));
    }
  }
}

}  // namespace omnix::simulation
