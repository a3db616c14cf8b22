// Which alert belongs to which incident, and what was said of it last: a monitor repeats its alerts for as long as they
// fire, and nearly all that comes is known.
#pragma once

#include <omnix/v1/alert.pb.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"

namespace omnix {

// Knows every alert of the open incidents in the same few bytes, whatever the length of its fingerprint: 128 bits of
// its SHA-256 stand for it. One thread only.
class AlertIndex {
  struct Key;
  struct Owner;

 public:
  struct Known {
    std::shared_ptr<Owner> owner;
    v1::AlertStatus status = v1::ALERT_STATUS_UNSPECIFIED;
    v1::Severity severity = v1::SEVERITY_UNKNOWN;

    const std::string& incident_id() const { return owner->id; }
  };

  // The open incident that has the alert with this fingerprint; null where none has. Valid until the next change.
  const Known* Find(const std::string& fingerprint) const;
  // The incident's last reading of the alert, which is its own from now on.
  void Put(const std::string& incident_id, const std::string& fingerprint, v1::AlertStatus status,
           v1::Severity severity);
  // All alerts of one open incident are another's from now on.
  void Move(const std::string& from, const std::string& to);
  // The incident has ended. The newest kMaxRemembered alerts of ended incidents are remembered, for the day
  // that they clear, or fire again.
  void Close(const std::string& incident_id);
  // It is open again: those of its alerts that are remembered are its own once more.
  void Reopen(const std::string& incident_id);

  // The same as Close for one alert, as the journal tells of it.
  void Remember(const std::string& incident_id, const std::string& fingerprint, v1::AlertStatus status,
                v1::Severity severity);
  // The ended incident whose alert this was, as it stood last; null: none. Forgotten with its next reading. Valid until
  // the next change.
  const Known* FindEnded(const std::string& fingerprint) const;
  void Clear();

  static constexpr size_t kMaxRemembered = 100'000;

 private:
  struct Key {
    uint64_t high = 0;
    uint64_t low = 0;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const { return key.low; }
  };
  // An incident.
  struct Owner {
    std::string id;
    // While it is open: that were put for it; some may be another's by now. Most have one.
    absl::InlinedVector<Key, 1> alerts;
  };
  struct Ended : Known {
    uint64_t number = 0;
  };

  // Of one alert after the other, each several times: the last one is kept.
  const Key& KeyOf(const std::string& fingerprint) const;
  const std::shared_ptr<Owner>& OwnerOf(const std::string& incident_id);
  void Put(const std::shared_ptr<Owner>& owner, const Key& key, v1::AlertStatus status, v1::Severity severity);
  void Remember(const Key& key, Known last);

  mutable std::string last_fingerprint_;
  mutable Key last_key_;
  // Open incidents, by their ids, which are in them.
  absl::flat_hash_map<std::string_view, std::shared_ptr<Owner>, std::hash<std::string_view>> owners_;
  absl::flat_hash_map<Key, Known, KeyHash> open_;
  // The numbers are those of closed_order_.
  std::unordered_map<Key, Ended, KeyHash> closed_;
  // Oldest first; those that closed_ no longer has under this number don't count.
  std::deque<std::pair<Key, uint64_t>> closed_order_;
  uint64_t closings_ = 0;
};

}  // namespace omnix
