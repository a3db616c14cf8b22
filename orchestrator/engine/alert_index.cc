#include "orchestrator/engine/alert_index.h"

#include <cstring>

#include "common/hash.h"

namespace omnix {

const AlertIndex::Key& AlertIndex::KeyOf(const std::string& fingerprint) const {
  if (fingerprint == last_fingerprint_ && !fingerprint.empty()) return last_key_;
  const std::string digest = Sha256(fingerprint);
  std::memcpy(&last_key_.high, digest.data(), sizeof last_key_.high);
  std::memcpy(&last_key_.low, digest.data() + sizeof last_key_.high, sizeof last_key_.low);
  last_fingerprint_ = fingerprint;
  return last_key_;
}

const std::shared_ptr<AlertIndex::Owner>& AlertIndex::OwnerOf(const std::string& incident_id) {
  const auto known = owners_.find(incident_id);
  if (known != owners_.end()) return known->second;
  auto owner = std::make_shared<Owner>();
  owner->id = incident_id;
  const std::string_view id = owner->id;
  return owners_.emplace(id, std::move(owner)).first->second;
}

const AlertIndex::Known* AlertIndex::Find(const std::string& fingerprint) const {
  const auto found = open_.find(KeyOf(fingerprint));
  return found == open_.end() ? nullptr : &found->second;
}

void AlertIndex::Put(const std::shared_ptr<Owner>& owner, const Key& key, v1::AlertStatus status,
                     v1::Severity severity) {
  Known& known = open_[key];
  if (known.owner != owner) owner->alerts.push_back(key);
  known = {owner, status, severity};
  closed_.erase(key);
}

void AlertIndex::Put(const std::string& incident_id, const std::string& fingerprint, v1::AlertStatus status,
                     v1::Severity severity) {
  Put(OwnerOf(incident_id), KeyOf(fingerprint), status, severity);
}

void AlertIndex::Move(const std::string& from, const std::string& to) {
  const auto giver = owners_.find(from);
  if (giver == owners_.end()) return;
  const std::shared_ptr<Owner> given = giver->second;
  owners_.erase(giver);
  const std::shared_ptr<Owner> taker = OwnerOf(to);
  for (const Key& key : given->alerts) {
    const auto known = open_.find(key);
    if (known == open_.end() || known->second.owner != given) continue;
    Put(taker, key, known->second.status, known->second.severity);
  }
}

void AlertIndex::Close(const std::string& incident_id) {
  const auto closing = owners_.find(incident_id);
  if (closing == owners_.end()) return;
  const std::shared_ptr<Owner> owner = closing->second;
  owners_.erase(closing);
  for (const Key& key : owner->alerts) {
    const auto known = open_.find(key);
    if (known == open_.end() || known->second.owner != owner) continue;
    Remember(key, std::move(known->second));
    open_.erase(known);
  }
  owner->alerts.clear();
  owner->alerts.shrink_to_fit();
}

void AlertIndex::Reopen(const std::string& incident_id) {
  std::vector<std::pair<Key, Ended>> own;
  for (const auto& [key, ended] : closed_) {
    if (ended.incident_id() == incident_id) own.emplace_back(key, ended);
  }
  const std::shared_ptr<Owner> owner = OwnerOf(incident_id);
  for (const auto& [key, ended] : own) Put(owner, key, ended.status, ended.severity);
}

void AlertIndex::Remember(const Key& key, Known last) {
  Ended& ended = closed_[key];
  static_cast<Known&>(ended) = std::move(last);
  ended.number = ++closings_;
  closed_order_.emplace_back(key, closings_);
  while (closed_order_.size() > kMaxRemembered) {
    const auto& [forgotten, number] = closed_order_.front();
    const auto oldest = closed_.find(forgotten);
    if (oldest != closed_.end() && oldest->second.number == number) closed_.erase(oldest);
    closed_order_.pop_front();
  }
}

void AlertIndex::Remember(const std::string& incident_id, const std::string& fingerprint, v1::AlertStatus status,
                          v1::Severity severity) {
  auto owner = std::make_shared<Owner>();
  owner->id = incident_id;
  Remember(KeyOf(fingerprint), {std::move(owner), status, severity});
}

const AlertIndex::Known* AlertIndex::FindEnded(const std::string& fingerprint) const {
  const auto found = closed_.find(KeyOf(fingerprint));
  return found == closed_.end() ? nullptr : &found->second;
}

void AlertIndex::Clear() { *this = {}; }

}  // namespace omnix
