#include "orchestrator/core/alert_places.h"

#include <functional>

namespace omnix {
namespace {

// Fewer are found faster by looking at each.
constexpr int kMaxScanned = 16;

}  // namespace

int FindAlert(const v1::Incident& incident, const std::string& fingerprint) {
  for (int i = 0; i < incident.alerts_size(); ++i) {
    if (incident.alerts(i).fingerprint() == fingerprint) return i;
  }
  return -1;
}

int AlertPlaces::Find(const v1::Incident& incident, const std::string& fingerprint) {
  if (incident.alerts_size() <= kMaxScanned) return FindAlert(incident, fingerprint);
  const std::hash<std::string> hash;
  for (; known_ < incident.alerts_size(); ++known_)
    places_.emplace(hash(incident.alerts(known_).fingerprint()), known_);
  const auto [begin, end] = places_.equal_range(hash(fingerprint));
  for (auto it = begin; it != end; ++it) {
    if (incident.alerts(it->second).fingerprint() == fingerprint) return it->second;
  }
  return -1;
}

bool AlertPlaces::AllCleared(const v1::Incident& incident) {
  const int size = incident.alerts_size();
  for (int looked_at = 0; looked_at < size; ++looked_at) {
    if (open_ >= size) open_ = 0;
    if (incident.alerts(open_).status() != v1::ALERT_STATUS_RESOLVED) return false;
    ++open_;
  }
  return size > 0;
}

}  // namespace omnix
