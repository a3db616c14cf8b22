#include "orchestrator/engine/pending_alerts.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/time.h"

namespace omnix {
namespace {

google::protobuf::Timestamp StartOf(const v1::Alert& alert) {
  return alert.has_starts_at() ? alert.starts_at() : alert.received_at();
}

bool HasStart(const v1::PendingAlert& pending, const google::protobuf::Timestamp& start) {
  return std::ranges::any_of(pending.occurrences(), [&](const v1::Occurrence& occurrence) {
    return FromProto(occurrence.starts_at()) == FromProto(start);
  });
}

}  // namespace

void PendingAlerts::Put(v1::PendingAlert pending, absl::Duration until) {
  const std::string fingerprint = pending.alert().fingerprint();
  groups_[{pending.rule(), pending.group()}].insert(fingerprint);
  expiries_.insert({until, fingerprint});
  alerts_[fingerprint] = {std::move(pending), until};
}

void PendingAlerts::Load(std::vector<v1::PendingAlert> pending) {
  Clear();
  for (auto& alert : pending) {
    // A wall clock that was set back must not make the wait longer.
    const absl::Duration left = std::clamp(FromProto(alert.expires_at()) - clock_.Now(), absl::ZeroDuration(),
                                           FromProto(alert.wanted().within()));
    Put(std::move(alert), clock_.Monotonic() + left);
  }
}

void PendingAlerts::Clear() {
  alerts_.clear();
  groups_.clear();
  expiries_.clear();
}

const v1::PendingAlert* PendingAlerts::Find(const std::string& fingerprint) const {
  const auto found = alerts_.find(fingerprint);
  return found == alerts_.end() ? nullptr : &found->second.pending;
}

size_t PendingAlerts::OccurrencesOf(const Group& group, absl::Duration within) const {
  const auto found = groups_.find(group);
  if (found == groups_.end()) return 0;
  size_t count = 0;
  for (const auto& fingerprint : found->second) {
    for (const auto& occurrence : alerts_.at(fingerprint).pending.occurrences()) {
      count += clock_.Now() - FromProto(occurrence.received_at()) <= within ? 1 : 0;
    }
  }
  return count;
}

bool PendingAlerts::Fires(const v1::Alert& alert, const std::string& rule, const std::string& group,
                          const v1::Occurrences& wanted, Changes& changes) {
  v1::PendingAlert pending;
  if (const v1::PendingAlert* known = Find(alert.fingerprint())) pending = *known;
  const absl::Duration within = FromProto(wanted.within());
  const bool begins = !HasStart(pending, StartOf(alert));
  const bool says_more = begins || pending.alert().status() != alert.status() ||
                         pending.alert().severity() != alert.severity() || pending.rule() != rule ||
                         pending.group() != group;
  if (!says_more) return false;
  Changes removed;
  absl::Duration until = clock_.Monotonic() + within;
  if (const auto former = alerts_.find(alert.fingerprint()); former != alerts_.end() && !begins) {
    until = former->second.until;
  }
  Remove(alert.fingerprint(), removed);
  *pending.mutable_alert() = alert;
  pending.set_rule(rule);
  pending.set_group(group);
  *pending.mutable_wanted() = wanted;
  if (begins) {
    auto* occurrence = pending.add_occurrences();
    *occurrence->mutable_starts_at() = StartOf(alert);
    *occurrence->mutable_received_at() = alert.received_at();
    *pending.mutable_expires_at() = ToProto(clock_.Now() + within);
    // The last ones that still count; the newest always does.
    const auto& all = pending.occurrences();
    while (all.size() > static_cast<int>(wanted.count()) || clock_.Now() - FromProto(all[0].received_at()) > within) {
      pending.mutable_occurrences()->DeleteSubrange(0, 1);
    }
  }
  changes.emplace_back(alert.fingerprint(), pending);
  Put(std::move(pending), until);
  return OccurrencesOf({rule, group}, within) >= wanted.count();
}

void PendingAlerts::Clears(const v1::Alert& alert, Changes& changes) {
  const auto found = alerts_.find(alert.fingerprint());
  if (found == alerts_.end()) return;
  *found->second.pending.mutable_alert() = alert;
  changes.emplace_back(alert.fingerprint(), found->second.pending);
}

void PendingAlerts::Remove(const std::string& fingerprint, Changes& changes) {
  const auto found = alerts_.find(fingerprint);
  if (found == alerts_.end()) return;
  const auto group = groups_.find({found->second.pending.rule(), found->second.pending.group()});
  group->second.erase(fingerprint);
  if (group->second.empty()) groups_.erase(group);
  expiries_.erase({found->second.until, fingerprint});
  changes.emplace_back(fingerprint, std::nullopt);
  alerts_.erase(found);
}

std::vector<PendingAlerts::Taken> PendingAlerts::TakeGroup(const std::string& fingerprint, Changes& changes) {
  const auto found = alerts_.find(fingerprint);
  if (found == alerts_.end()) return {};
  const auto taken = [](const v1::PendingAlert& pending) {
    return Taken{pending.alert(), static_cast<uint32_t>(pending.occurrences_size())};
  };
  std::vector<Taken> alerts = {taken(found->second.pending)};
  const std::set<std::string> all = groups_.at({found->second.pending.rule(), found->second.pending.group()});
  for (const auto& other : all) {
    if (other != fingerprint) alerts.push_back(taken(alerts_.at(other).pending));
    Remove(other, changes);
  }
  return alerts;
}

uint32_t PendingAlerts::OccurrencesWith(const v1::Alert& alert) const {
  const v1::PendingAlert* pending = Find(alert.fingerprint());
  if (pending == nullptr) return 1;
  return static_cast<uint32_t>(pending->occurrences_size()) + (HasStart(*pending, StartOf(alert)) ? 0 : 1);
}

size_t PendingAlerts::Expire(Changes& changes) {
  size_t expired = 0;
  while (!expiries_.empty() && expiries_.begin()->first <= clock_.Monotonic()) {
    const std::string fingerprint = expiries_.begin()->second;
    Remove(fingerprint, changes);
    ++expired;
  }
  return expired;
}

absl::Duration PendingAlerts::NextExpiry() const {
  return expiries_.empty() ? absl::InfiniteDuration() : expiries_.begin()->first;
}

std::vector<v1::ListedAlert> ListPending(const std::vector<v1::PendingAlert>& pending) {
  std::map<std::pair<std::string, std::string>, int> occurrences;
  for (const auto& alert : pending) occurrences[{alert.rule(), alert.group()}] += alert.occurrences_size();
  std::vector<v1::ListedAlert> listed;
  for (const auto& alert : pending) {
    v1::ListedAlert& item = listed.emplace_back();
    *item.mutable_alert() = alert.alert();
    item.set_count(static_cast<uint64_t>(alert.occurrences_size()));
    item.set_waiting_for(fmt::format("{} of {} occurrences within {}, rule {}",
                                     occurrences[{alert.rule(), alert.group()}], alert.wanted().count(),
                                     omnix::FormatDuration(FromProto(alert.wanted().within())), alert.rule()));
  }
  std::ranges::stable_sort(listed, [](const auto& a, const auto& b) {
    return FromProto(a.alert().received_at()) > FromProto(b.alert().received_at());
  });
  return listed;
}

}  // namespace omnix
