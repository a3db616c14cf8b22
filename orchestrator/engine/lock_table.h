// Which incident holds which resource (promise 3: no two incidents change the same resource at the same time). No
// threads.
#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <deque>
#include <map>
#include <string>
#include <vector>

namespace omnix {

using ResourceNames = google::protobuf::RepeatedPtrField<std::string>;

class LockTable {
 public:
  // Records what the incident holds now (derived from its state); gives back what it held before and no longer does.
  void SetHeld(const std::string& incident_id, const ResourceNames& resources);

  // Queues the incident for all of these at once. First come, first served: an earlier waiter that overlaps goes first,
  // so nobody starves.
  void Wait(const std::string& incident_id, const ResourceNames& resources);
  void StopWaiting(const std::string& incident_id);

  // Waiters whose resources are all free and not wanted by an earlier waiter, in order.
  std::vector<std::string> Grantable() const;

  // Why the waiter waits: a resource, and who has it or stands before it in the queue for it. Empty names: nothing is
  // in its way.
  struct Obstacle {
    std::string resource;
    std::string incident_id;
    bool holds = false;
  };
  Obstacle InTheWayOf(const std::string& incident_id, const ResourceNames& resources) const;

  void Clear();

 private:
  struct Waiter {
    std::string incident_id;
    std::vector<std::string> resources;
  };
  std::map<std::string, std::string> holder_;
  std::map<std::string, std::vector<std::string>> held_;
  std::deque<Waiter> waiters_;
};

}  // namespace omnix
