// Which open incident an alert of no incident belongs to, by the rule of its grouping.
#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/time/time.h"
#include "orchestrator/engine/dependency_graph.h"
#include "orchestrator/engine/grouping_rules.h"
#include "orchestrator/engine/suspects.h"

namespace omnix {

// By dependencies, an alert joins an incident where one service may be the cause of all: where its subject is, or
// needs, one of the CommonCauses of the services that alert in the incident. So a gateway that needs everything joins
// what it needs, but does not glue together what has nothing else in common; a subject that the system model does not
// have joins alerts of the same subject. By key, it joins where the key is the same. Only within one rule, only while
// the incident's last alert is no older than the rule's window, and of several the first (by id). One thread only;
// graphs and rules must outlive their incidents here.
class JoinIndex {
 public:
  void Open(const std::string& incident_id, const DependencyGraph& graph, const GroupingRule& rule,
            const std::string& key, absl::Time last_alert);
  // An alert of the incident speaks of `subject`. Unknown incidents are passed over, here and below.
  void AddAlert(const std::string& incident_id, const std::string& subject);
  // An alert of the incident came.
  void Touch(const std::string& incident_id, absl::Time now);
  // Whether alerts may join the incident now; true at first.
  void SetTaking(const std::string& incident_id, bool taking);
  void Remove(const std::string& incident_id);
  void Clear();

  // Empty: none.
  std::string Find(const GroupingRule& rule, const std::string& key, const std::string& subject, absl::Time now);

  // True once after the services that alert in the incident became others.
  bool TakeServicesChanged(const std::string& incident_id);
  std::vector<Suspect> SuspectsOf(const std::string& incident_id) const;

 private:
  struct Incident {
    const DependencyGraph* graph = nullptr;
    const GroupingRule* rule = nullptr;
    std::string key;
    // Known services of which its alerts speak.
    std::set<int> services;
    std::set<int> causes;
    // Subjects that the system model does not have, by dependencies; the first kMaxStrangers.
    std::set<std::string> strangers;
    bool services_changed = false;
    bool taking = true;
    // It is in the tables below.
    bool indexed = false;
    absl::Time last_alert;
  };
  using Ids = std::set<std::string>;
  static constexpr size_t kMaxStrangers = 64;

  void AddStranger(const std::string& incident_id, Incident& incident, const std::string& subject);
  void SetCauses(const std::string& incident_id, Incident& incident);
  void SetIndexed(const std::string& incident_id, Incident& incident, bool indexed);
  void Enter(const std::string& incident_id, const Incident& incident, bool in);
  void EnterKey(const std::string& incident_id, const GroupingRule* rule, const std::string& key, bool in);
  // The first of `ids` that is young enough; those that are not leave the index.
  std::string FirstYoung(const Ids& ids, absl::Duration window, absl::Time now);

  std::unordered_map<std::string, Incident> incidents_;
  std::map<std::pair<const GroupingRule*, const DependencyGraph*>, std::unordered_map<int, Ids>> by_cause_;
  std::map<std::pair<const GroupingRule*, std::string>, Ids> by_key_;
};

}  // namespace omnix
