// Which alert belongs to which incident, and what was said of it last: a monitor repeats its alerts for as long as they
// fire, and nearly all that comes is known.
#pragma once

#include <omnix/v1/alert.pb.h>

#include <deque>
#include <string>
#include <unordered_map>
#include <utility>

namespace omnix {

// One thread only.
class AlertIndex {
 public:
  struct Known {
    std::string incident_id;
    v1::AlertStatus status = v1::ALERT_STATUS_UNSPECIFIED;
    v1::Severity severity = v1::SEVERITY_UNKNOWN;
  };

  // The open incident that has the alert with this fingerprint; null where none has. Valid until the next change.
  const Known* Find(const std::string& fingerprint) const;
  // The incident's last reading of the alert.
  void Put(const std::string& incident_id, const v1::Alert& alert);
  // The incident has ended. Of the alerts that still fire the newest kMaxRemembered are remembered, for the day that
  // they clear.
  void Close(const std::string& incident_id, const google::protobuf::RepeatedPtrField<v1::Alert>& alerts);
  // The same for one alert, as the journal tells of it.
  void Remember(const std::string& incident_id, const std::string& fingerprint);
  // The ended incident whose alert this was; empty: none. Forgotten with its next reading.
  std::string FindClosed(const std::string& fingerprint) const;
  void Clear();

  static constexpr size_t kMaxRemembered = 10'000;

 private:
  std::unordered_map<std::string, Known> open_;
  // Incident and number (in closed_order_) by fingerprint.
  std::unordered_map<std::string, std::pair<std::string, uint64_t>> closed_;
  // Fingerprints with their numbers, oldest first; those that closed_ no longer has under this number don't count.
  std::deque<std::pair<std::string, uint64_t>> closed_order_;
  uint64_t closings_ = 0;
};

}  // namespace omnix
