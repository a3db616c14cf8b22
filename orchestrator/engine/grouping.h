// Which open incident an alert belongs to, by the services that depend on each other.
#pragma once

#include <omnix/v1/system_model.pb.h>

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace omnix {

// The services and clients of a system model in groups: two are in the same one where one depends on the other,
// directly or through others. Immutable.
class ServiceGroups {
 public:
  static constexpr int kNone = -1;

  ServiceGroups() = default;
  explicit ServiceGroups(const v1::SystemModel& system);

  // kNone for a name that the model does not know.
  int Of(const std::string& name) const;

 private:
  std::unordered_map<std::string, int> groups_;
};

// The open incidents by the groups that their alerts speak of. An alert joins the first incident (by id) that has an
// alert of the same group, in the system model that this incident is pinned to; one whose subject no model knows joins
// nothing: it opens an incident of its own. One thread only; each ServiceGroups must outlive its incidents here.
class JoinIndex {
 public:
  // An alert of the incident speaks of `subject`.
  void Add(const std::string& incident_id, const ServiceGroups& groups, const std::string& subject);
  // Whether alerts may join the incident now; true at first.
  void SetTaking(const std::string& incident_id, bool taking);
  void Remove(const std::string& incident_id);
  void Clear();

  // Empty: none.
  std::string Find(const std::string& subject) const;

 private:
  struct Incident {
    const ServiceGroups* groups = nullptr;
    std::set<int> of_alerts;
    bool taking = true;
  };
  void Index(const std::string& incident_id, const Incident& incident, int group);

  // Those with a known group only.
  std::unordered_map<std::string, Incident> incidents_;
  std::map<const ServiceGroups*, std::unordered_map<int, std::set<std::string>>> taking_;
};

}  // namespace omnix
