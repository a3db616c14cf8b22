#include "orchestrator/engine/join_index.h"

#include <utility>

namespace omnix {

void JoinIndex::Open(const std::string& incident_id, const DependencyGraph& graph, const GroupingRule& rule,
                     const std::string& key, absl::Time last_alert) {
  Remove(incident_id);
  Incident& incident = incidents_[incident_id];
  incident.graph = &graph;
  incident.rule = &rule;
  incident.key = key;
  incident.last_alert = last_alert;
  SetIndexed(incident_id, incident, true);
}

void JoinIndex::SetCauses(const std::string& incident_id, Incident& incident) {
  const bool indexed = incident.indexed;
  SetIndexed(incident_id, incident, false);
  incident.causes = CommonCauses(*incident.graph, incident.services);
  incident.services_changed = true;
  SetIndexed(incident_id, incident, indexed);
}

void JoinIndex::AddAlert(const std::string& incident_id, const std::string& subject) {
  const auto found = incidents_.find(incident_id);
  if (found == incidents_.end()) return;
  const int service = found->second.graph->Find(subject);
  if (service == DependencyGraph::kNone) return AddStranger(incident_id, found->second, subject);
  if (found->second.services.insert(service).second) SetCauses(incident_id, found->second);
}

void JoinIndex::AddStranger(const std::string& incident_id, Incident& incident, const std::string& subject) {
  const bool counts = incident.rule->by == v1::GROUP_BY_DEPENDENCIES && !subject.empty();
  if (!counts || incident.strangers.size() >= kMaxStrangers || !incident.strangers.insert(subject).second) return;
  if (incident.indexed) EnterKey(incident_id, incident.rule, subject, true);
}

void JoinIndex::Touch(const std::string& incident_id, absl::Time now) {
  const auto found = incidents_.find(incident_id);
  if (found == incidents_.end()) return;
  found->second.last_alert = now;
  SetIndexed(incident_id, found->second, true);
}

void JoinIndex::SetTaking(const std::string& incident_id, bool taking) {
  const auto found = incidents_.find(incident_id);
  if (found == incidents_.end() || found->second.taking == taking) return;
  found->second.taking = taking;
  SetIndexed(incident_id, found->second, taking);
}

void JoinIndex::SetIndexed(const std::string& incident_id, Incident& incident, bool indexed) {
  indexed = indexed && incident.taking && incident.rule->by != v1::GROUP_BY_NONE;
  if (incident.indexed == indexed) return;
  incident.indexed = indexed;
  Enter(incident_id, incident, indexed);
}

void JoinIndex::EnterKey(const std::string& incident_id, const GroupingRule* rule, const std::string& key, bool in) {
  const auto ids = by_key_.try_emplace({rule, key}).first;
  in ? void(ids->second.insert(incident_id)) : void(ids->second.erase(incident_id));
  if (ids->second.empty()) by_key_.erase(ids);
}

void JoinIndex::Enter(const std::string& incident_id, const Incident& incident, bool in) {
  if (incident.rule->by != v1::GROUP_BY_DEPENDENCIES) return EnterKey(incident_id, incident.rule, incident.key, in);
  auto& by_service = by_cause_[{incident.rule, incident.graph}];
  for (const int cause : incident.causes) {
    Ids& ids = by_service[cause];
    in ? void(ids.insert(incident_id)) : void(ids.erase(incident_id));
    if (ids.empty()) by_service.erase(cause);
  }
  for (const auto& stranger : incident.strangers) EnterKey(incident_id, incident.rule, stranger, in);
}

void JoinIndex::Remove(const std::string& incident_id) {
  const auto found = incidents_.find(incident_id);
  if (found == incidents_.end()) return;
  SetIndexed(incident_id, found->second, false);
  incidents_.erase(found);
}

void JoinIndex::Clear() {
  incidents_.clear();
  by_cause_.clear();
  by_key_.clear();
}

std::string JoinIndex::FirstYoung(const Ids& ids, absl::Duration window, absl::Time now) {
  std::vector<std::string> old;
  std::string first;
  for (const auto& id : ids) {
    if (now - incidents_.at(id).last_alert <= window) {
      first = id;
      break;
    }
    old.push_back(id);
  }
  // Erases from `ids`.
  for (const auto& id : old) SetIndexed(id, incidents_.at(id), false);
  return first;
}

std::string JoinIndex::Find(const GroupingRule& rule, const std::string& key, const std::string& subject,
                            absl::Time now) {
  if (rule.by == v1::GROUP_BY_NONE) return "";
  auto find_key = [&](const std::string& wanted) {
    const auto found = by_key_.find({&rule, wanted});
    return found == by_key_.end() ? "" : FirstYoung(found->second, rule.window, now);
  };
  if (rule.by != v1::GROUP_BY_DEPENDENCIES) return find_key(key);
  std::string first;
  for (auto entry = by_cause_.lower_bound({&rule, nullptr}); entry != by_cause_.end() && entry->first.first == &rule;
       ++entry) {
    const DependencyGraph& graph = *entry->first.second;
    const int service = graph.Find(subject);
    if (service == DependencyGraph::kNone) continue;
    for (const auto& need : graph.NeedsOf(service)) {
      const auto found = entry->second.find(need.service);
      if (found == entry->second.end()) continue;
      const std::string id = FirstYoung(found->second, rule.window, now);
      if (!id.empty() && (first.empty() || id < first)) first = id;
    }
  }
  // A subject that the system model does not have.
  return first.empty() && !subject.empty() ? find_key(subject) : first;
}

bool JoinIndex::TakeServicesChanged(const std::string& incident_id) {
  const auto found = incidents_.find(incident_id);
  return found != incidents_.end() && std::exchange(found->second.services_changed, false);
}

std::vector<Suspect> JoinIndex::SuspectsOf(const std::string& incident_id) const {
  const auto found = incidents_.find(incident_id);
  if (found == incidents_.end()) return {};
  return Suspects(*found->second.graph, found->second.services);
}

}  // namespace omnix
