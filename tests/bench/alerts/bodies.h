// Requests with Alertmanager's webhook, version 4, as it sends them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace omnix::bench {

enum class AlertKind {
  // Alerts that open incidents know already.
  kDuplicate,
  // New alerts of one service: they join one incident.
  kJoin,
  // New alerts of nothing that the system model knows: each opens an incident.
  kOpen,
};
const char* NameOf(AlertKind kind);

// The service of the system model that kDuplicate and kJoin speak of.
inline constexpr const char* kService = "shop";

// Whole HTTP requests, one after the other. Making one costs a few copies only: the load must not be slower than the
// server.
class Bodies {
 public:
  Bodies(AlertKind kind, int alerts_each);

  // Valid until the next call. Numbers of alerts go up from 1 (kDuplicate: around in a circle of kKnown).
  const std::string& Next();
  int alerts_each() const { return alerts_each_; }

  // Different alerts of kDuplicate.
  static constexpr uint64_t kKnown = 1024;

 private:
  const AlertKind kind_;
  const int alerts_each_;
  std::string request_;
  // Where 16 digits of the alert's number stand, alert by alert.
  std::vector<std::vector<size_t>> places_;
  uint64_t number_ = 0;
};

}  // namespace omnix::bench
