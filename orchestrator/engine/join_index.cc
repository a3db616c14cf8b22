#include "orchestrator/engine/join_index.h"

#include <algorithm>
#include <utility>

namespace omnix {

JoinIndex::Incident* JoinIndex::Known(const std::string& incident_id) const {
  const auto found = incidents_.find(incident_id);
  return found == incidents_.end() ? nullptr : found->second.get();
}

void JoinIndex::Open(const std::string& incident_id, const DependencyGraph& graph, const GroupingRule& rule,
                     const std::string& key, absl::Time last_alert) {
  Remove(incident_id);
  auto incident = std::make_unique<Incident>();
  incident->id = incident_id;
  incident->graph = &graph;
  incident->rule = &rule;
  incident->key = key;
  incident->last_alert = last_alert;
  SetIndexed(*incident, true);
  const std::string_view id = incident->id;
  incidents_.emplace(id, std::move(incident));
}

void JoinIndex::AddService(Incident& incident, int service) {
  if (incident.services == nullptr) incident.services = std::make_unique<Services>();
  Services& services = *incident.services;
  if (!services.alerting.insert(service).second) return;
  const bool indexed = incident.indexed;
  SetIndexed(incident, false);
  services.causes = CommonCauses(*incident.graph, services.alerting);
  services.changed = true;
  SetIndexed(incident, indexed);
}

void JoinIndex::AddAlert(const std::string& incident_id, const std::string& subject) {
  Incident* const incident = Known(incident_id);
  if (incident == nullptr) return;
  const int service = incident->graph->Find(subject);
  service == DependencyGraph::kNone ? AddStranger(*incident, subject) : AddService(*incident, service);
}

void JoinIndex::AddStranger(Incident& incident, const std::string& subject) {
  const bool counts = incident.rule->by == v1::GROUP_BY_DEPENDENCIES && !subject.empty();
  auto& strangers = incident.strangers;
  if (!counts || strangers.size() >= kMaxStrangers || std::ranges::find(strangers, subject) != strangers.end()) return;
  strangers.push_back(subject);
  if (incident.indexed) EnterKey(incident, subject, true);
}

void JoinIndex::Touch(const std::string& incident_id, absl::Time now) {
  Incident* const incident = Known(incident_id);
  if (incident == nullptr) return;
  incident->last_alert = now;
  SetIndexed(*incident, true);
}

void JoinIndex::SetTaking(const std::string& incident_id, bool taking) {
  Incident* const incident = Known(incident_id);
  if (incident == nullptr || incident->taking == taking) return;
  incident->taking = taking;
  SetIndexed(*incident, taking);
}

void JoinIndex::SetIndexed(Incident& incident, bool indexed) {
  indexed = indexed && incident.taking && incident.rule->by != v1::GROUP_BY_NONE;
  if (incident.indexed == indexed) return;
  incident.indexed = indexed;
  Enter(incident, indexed);
}

void JoinIndex::EnterKey(Incident& incident, const std::string& key, bool in) {
  const auto entered = by_key_.try_emplace({incident.rule, key}).first;
  in ? void(entered->second.insert(&incident)) : void(entered->second.erase(&incident));
  if (entered->second.empty()) by_key_.erase(entered);
}

void JoinIndex::Enter(Incident& incident, bool in) {
  if (incident.rule->by != v1::GROUP_BY_DEPENDENCIES) return EnterKey(incident, incident.key, in);
  if (incident.services != nullptr) {
    auto& by_service = by_cause_[{incident.rule, incident.graph}];
    for (const int cause : incident.services->causes) {
      Ordered& entered = by_service[cause];
      in ? void(entered.insert(&incident)) : void(entered.erase(&incident));
      if (entered.empty()) by_service.erase(cause);
    }
  }
  for (const auto& stranger : incident.strangers) EnterKey(incident, stranger, in);
}

void JoinIndex::Remove(const std::string& incident_id) {
  Incident* const incident = Known(incident_id);
  if (incident == nullptr) return;
  SetIndexed(*incident, false);
  incidents_.erase(incident_id);
}

void JoinIndex::Clear() {
  by_cause_.clear();
  by_key_.clear();
  incidents_.clear();
}

const JoinIndex::Incident* JoinIndex::FirstYoung(const Ordered& incidents, absl::Duration window, absl::Time now) {
  std::vector<Incident*> old;
  const Incident* first = nullptr;
  for (Incident* const incident : incidents) {
    if (now - incident->last_alert <= window) {
      first = incident;
      break;
    }
    old.push_back(incident);
  }
  // Erases from `incidents`.
  for (Incident* const incident : old) SetIndexed(*incident, false);
  return first;
}

std::string JoinIndex::Find(const GroupingRule& rule, const std::string& key, const std::string& subject,
                            absl::Time now) {
  if (rule.by == v1::GROUP_BY_NONE) return "";
  const auto find_key = [&](const std::string& wanted) -> const Incident* {
    const auto found = by_key_.find(std::pair(&rule, wanted));
    return found == by_key_.end() ? nullptr : FirstYoung(found->second, rule.window, now);
  };
  const auto id_of = [](const Incident* incident) { return incident == nullptr ? std::string() : incident->id; };
  if (rule.by != v1::GROUP_BY_DEPENDENCIES) return id_of(find_key(key));
  const Incident* first = nullptr;
  for (auto entry = by_cause_.lower_bound({&rule, nullptr}); entry != by_cause_.end() && entry->first.first == &rule;
       ++entry) {
    const DependencyGraph& graph = *entry->first.second;
    const int service = graph.Find(subject);
    if (service == DependencyGraph::kNone) continue;
    for (const auto& need : graph.NeedsOf(service)) {
      const auto found = entry->second.find(need.service);
      if (found == entry->second.end()) continue;
      const Incident* const young = FirstYoung(found->second, rule.window, now);
      if (young != nullptr && (first == nullptr || young->id < first->id)) first = young;
    }
  }
  // A subject that the system model does not have.
  if (first == nullptr && !subject.empty()) first = find_key(subject);
  return id_of(first);
}

bool JoinIndex::TakeServicesChanged(const std::string& incident_id) {
  const Incident* const incident = Known(incident_id);
  return incident != nullptr && incident->services != nullptr && std::exchange(incident->services->changed, false);
}

std::vector<Suspect> JoinIndex::SuspectsOf(const std::string& incident_id) const {
  const Incident* const incident = Known(incident_id);
  if (incident == nullptr || incident->services == nullptr) return {};
  return Suspects(*incident->graph, incident->services->alerting);
}

}  // namespace omnix
