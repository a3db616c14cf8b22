#include "orchestrator/intake/poll_ledger.h"

#include <algorithm>

#include "common/time.h"

namespace omnix {
namespace {

std::set<std::string> Fingerprints(const std::vector<v1::Alert>& alerts) {
  std::set<std::string> fingerprints;
  for (const v1::Alert& alert : alerts) fingerprints.insert(alert.fingerprint());
  return fingerprints;
}

// A later beginning is another occurrence. Texts that hold a value change with every evaluation and count for nothing.
bool Differs(const v1::Alert& told, const v1::Alert& now) {
  return told.severity() != now.severity() || FromProto(told.starts_at()) != FromProto(now.starts_at());
}

v1::Alert Resolved(v1::Alert alert, absl::Time now) {
  alert.set_status(v1::ALERT_STATUS_RESOLVED);
  *alert.mutable_ends_at() = ToProto(now);
  *alert.mutable_received_at() = ToProto(now);
  return alert;
}

}  // namespace

bool PollLedger::Misses(const PollReading& reading) const {
  const std::set<std::string> firing = Fingerprints(reading.firing);
  return std::ranges::any_of(
      known_, [&](const auto& entry) { return !firing.contains(entry.first) && !reading.held.contains(entry.first); });
}

std::vector<v1::Alert> PollLedger::Due(const PollReading& reading, absl::Time now) {
  std::vector<v1::Alert> due;
  for (const v1::Alert& alert : reading.firing) {
    const auto known = known_.find(alert.fingerprint());
    if (reading.repeat || known == known_.end() || Differs(known->second.alert, alert)) due.push_back(alert);
  }
  const std::set<std::string> firing = Fingerprints(reading.firing);
  for (auto& [fingerprint, known] : known_) {
    const bool gone = reading.settled && !firing.contains(fingerprint) && !reading.held.contains(fingerprint);
    if (gone && known.missing) due.push_back(Resolved(known.alert, now));
    known.missing = gone;
  }
  return due;
}

void PollLedger::Took(const std::vector<v1::Alert>& alerts) {
  for (const v1::Alert& alert : alerts) {
    if (alert.status() == v1::ALERT_STATUS_RESOLVED) {
      known_.erase(alert.fingerprint());
    } else {
      Restore(alert);
    }
  }
}

}  // namespace omnix
