// What probes found, by type: a probe defines a struct for its facts in a header of its own and adds one for each thing
// that it looked at; analyzers read all of a type. Neither the scene nor other probes need to know of it.
//
//   scene->facts.Add(RedisFacts{...});                              // in a probe
//   for (const RedisFacts* redis : scene->facts.All<RedisFacts>())  // in an analyzer
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <typeindex>
#include <utility>
#include <vector>

namespace omnix {

// Thread-safe. What was added is never changed or removed, and stays where it is.
class FactBook {
 public:
  template <typename T>
  const T& Add(T facts) {
    auto kept = std::make_shared<const T>(std::move(facts));
    const std::lock_guard lock(mutex_);
    facts_[typeid(T)].push_back(kept);
    return *kept;
  }

  // In the order in which they were added.
  template <typename T>
  std::vector<const T*> All() const {
    std::vector<const T*> found;
    const std::lock_guard lock(mutex_);
    const auto list = facts_.find(typeid(T));
    if (list == facts_.end()) return found;
    for (const std::shared_ptr<const void>& facts : list->second) found.push_back(static_cast<const T*>(facts.get()));
    return found;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::type_index, std::vector<std::shared_ptr<const void>>> facts_;
};

}  // namespace omnix
