// Which open incident an alert of no incident belongs to, by the rule of its grouping.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
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
  // Known services of which an incident's alerts speak.
  struct Services {
    std::set<int> alerting;
    std::set<int> causes;
    bool changed = false;
  };
  // Small, since there may be a hundred thousand: most speak of one service, or of one that nobody knows.
  struct Incident {
    std::string id;
    const DependencyGraph* graph = nullptr;
    const GroupingRule* rule = nullptr;
    std::string key;
    // Null: of none.
    std::unique_ptr<Services> services;
    // Subjects that the system model does not have, by dependencies; the first kMaxStrangers.
    std::vector<std::string> strangers;
    absl::Time last_alert;
    bool taking = true;
    // It is in the tables below.
    bool indexed = false;
  };
  struct ById {
    bool operator()(const Incident* a, const Incident* b) const { return a->id < b->id; }
  };
  using Ordered = absl::btree_set<Incident*, ById>;
  static constexpr size_t kMaxStrangers = 64;

  // Null: unknown.
  Incident* Known(const std::string& incident_id) const;
  void AddStranger(Incident& incident, const std::string& subject);
  void AddService(Incident& incident, int service);
  void SetIndexed(Incident& incident, bool indexed);
  void Enter(Incident& incident, bool in);
  void EnterKey(Incident& incident, const std::string& key, bool in);
  // The first that is young enough; those that are not leave the index. Null: none.
  const Incident* FirstYoung(const Ordered& incidents, absl::Duration window, absl::Time now);

  // By their ids, which are in them.
  absl::flat_hash_map<std::string_view, std::unique_ptr<Incident>, std::hash<std::string_view>> incidents_;
  std::map<std::pair<const GroupingRule*, const DependencyGraph*>, std::unordered_map<int, Ordered>> by_cause_;
  absl::flat_hash_map<std::pair<const GroupingRule*, std::string>, Ordered> by_key_;
};

}  // namespace omnix
