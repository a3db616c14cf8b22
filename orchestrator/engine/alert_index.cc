#include "orchestrator/engine/alert_index.h"

namespace omnix {

const AlertIndex::Known* AlertIndex::Find(const std::string& fingerprint) const {
  const auto found = open_.find(fingerprint);
  return found == open_.end() ? nullptr : &found->second;
}

void AlertIndex::Put(const std::string& incident_id, const v1::Alert& alert) {
  open_[alert.fingerprint()] = {incident_id, alert.status(), alert.severity()};
  closed_.erase(alert.fingerprint());
}

void AlertIndex::Close(const std::string& incident_id, const google::protobuf::RepeatedPtrField<v1::Alert>& alerts) {
  for (const auto& alert : alerts) {
    const auto known = open_.find(alert.fingerprint());
    if (known == open_.end() || known->second.incident_id != incident_id) continue;
    open_.erase(known);
    if (alert.status() == v1::ALERT_STATUS_FIRING) Remember(incident_id, alert.fingerprint());
  }
}

void AlertIndex::Remember(const std::string& incident_id, const std::string& fingerprint) {
  closed_[fingerprint] = {incident_id, ++closings_};
  closed_order_.emplace_back(fingerprint, closings_);
  while (closed_order_.size() > kMaxRemembered) {
    const auto& [forgotten, number] = closed_order_.front();
    const auto oldest = closed_.find(forgotten);
    if (oldest != closed_.end() && oldest->second.second == number) closed_.erase(oldest);
    closed_order_.pop_front();
  }
}

std::string AlertIndex::FindClosed(const std::string& fingerprint) const {
  const auto found = closed_.find(fingerprint);
  return found == closed_.end() ? "" : found->second.first;
}

void AlertIndex::Clear() { *this = {}; }

}  // namespace omnix
