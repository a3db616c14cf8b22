#include "orchestrator/engine/input_queue.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "common/status.h"

namespace omnix {
namespace {

size_t MostWaiting(InputLane lane) {
  switch (lane) {
    case InputLane::kOperators:
      return kMaxWaitingOperatorCalls;
    case InputLane::kAlerts:
      return kMaxWaitingAlerts;
    case InputLane::kOwn:
    case InputLane::kAgents:
      break;
  }
  return SIZE_MAX;
}

}  // namespace

absl::Status InputQueue::Add(EngineInput input) {
  Lane& lane = Of(input.lane);
  const size_t most = MostWaiting(input.lane);
  const bool full = lane.weight >= most || (most != SIZE_MAX && lane.bytes >= kMaxWaitingBytes);
  if (full) {
    return ResourceExhausted("too much is waiting ({} {}); try again in a second", lane.weight,
                             input.lane == InputLane::kAlerts ? "alerts" : "calls");
  }
  lane.weight += input.weight;
  lane.bytes += input.bytes;
  lane.waiting.push_back(std::move(input));
  return absl::OkStatus();
}

std::vector<EngineInput> InputQueue::Take(size_t alerts) {
  std::vector<EngineInput> taken;
  TakeFrom(InputLane::kOwn, SIZE_MAX, taken);
  TakeFrom(InputLane::kOperators, SIZE_MAX, taken);
  TakeFrom(InputLane::kAgents, kMaxAgentItemsARound, taken);
  TakeFrom(InputLane::kAlerts, alerts, taken);
  return taken;
}

void InputQueue::TakeFrom(InputLane name, size_t weight, std::vector<EngineInput>& taken) {
  Lane& lane = Of(name);
  // A call that is larger than a whole share must get its turn as well: it may exceed what is left.
  while (!lane.waiting.empty() && weight > 0) {
    EngineInput& next = lane.waiting.front();
    weight -= std::min(weight, next.weight);
    lane.weight -= next.weight;
    lane.bytes -= next.bytes;
    taken.push_back(std::move(next));
    lane.waiting.pop_front();
  }
}

bool InputQueue::HasInputs(size_t alerts) const {
  return !Of(InputLane::kOwn).waiting.empty() || !Of(InputLane::kOperators).waiting.empty() ||
         !Of(InputLane::kAgents).waiting.empty() || (alerts > 0 && !Of(InputLane::kAlerts).waiting.empty());
}

bool InputQueue::empty() const { return !HasInputs(SIZE_MAX); }

}  // namespace omnix
