// Which service needs which, in a system model: the ground on which alerts are grouped and causes suspected.
#pragma once

#include <omnix/v1/system_model.pb.h>

#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace omnix {

// The services and clients of a system model by number (in order of their names). Immutable.
class DependencyGraph {
 public:
  static constexpr int kNone = -1;

  struct Need {
    int service = 0;
    // 0: the service itself, 1: what it needs directly.
    int distance = 0;
  };

  DependencyGraph() = default;
  explicit DependencyGraph(const v1::SystemModel& system);

  // kNone for a name that the model does not know.
  int Find(const std::string& name) const;
  const std::string& NameOf(int service) const { return names_[static_cast<size_t>(service)]; }
  // The service itself and all that it needs, directly or through others; by number.
  const std::vector<Need>& NeedsOf(int service) const { return needs_[static_cast<size_t>(service)]; }

 private:
  std::vector<std::string> names_;
  std::unordered_map<std::string, int> numbers_;
  std::vector<std::vector<Need>> needs_;
};

// Services that would explain alone why all of `alerting` do: each of these is or needs it. Depends on the set alone,
// never on the order in which it grew. Where nothing explains all of them (people may have put anything together), the
// ones that fit no common cause stand for themselves.
std::set<int> CommonCauses(const DependencyGraph& graph, const std::set<int>& alerting);

}  // namespace omnix
