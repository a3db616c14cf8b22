// What the services' answers say of the time (HTTP Date, RFC 9110 section 6.6.1), beside this machine's clock.
#pragma once

#include "agents/investigation/scene.h"

namespace omnix {

struct ClockFacts {
  const v1::Service* service = nullptr;
  // Null: the service as a whole.
  const v1::Instance* instance = nullptr;
  // Its clock less ours; exact to about a second.
  absl::Duration offset;
  std::string evidence;
};

// One ClockFacts for each service or instance with a base_url whose answer has a Date. Only those that are off by more
// than kTellingOffset become evidence.
inline constexpr absl::Duration kTellingOffset = absl::Seconds(10);
void ProbeClocks(Scene* scene);

}  // namespace omnix
