// The story of an incident up to the question whether its plan may run, decided by the real core.
#pragma once

#include <omnix/v1/event.pb.h>
#include <omnix/v1/incident.pb.h>
#include <omnix/v1/playbook.pb.h>

#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "orchestrator/engine/run_by.h"

namespace omnix::bench {

// Events of a story without any evidence.
inline constexpr int kEventsWithoutEvidence = 13;

// Makes stories that differ by number: alert, subject, title, plan. Not thread-safe.
class StoryMaker {
 public:
  // `pins` of `run_by`. Dies where the core refuses a step.
  StoryMaker(v1::Pins pins, const RunBy& run_by) : pins_(std::move(pins)), run_by_(run_by) {}

  // All events of incident `id`, the last of them an ApprovalRequested; as many as kEventsWithoutEvidence + `evidence`.
  std::vector<v1::Event> Make(const std::string& id, int number, int evidence, absl::Time now);

 private:
  struct Telling;
  std::string InputOf(const v1::Incident& incident, const v1::TaskSpec& spec, absl::Time now);

  const v1::Pins pins_;
  const RunBy& run_by_;
  // By task type: the input that jq made for the first incident, with a mark where its id stands.
  std::map<std::string, std::string> inputs_;
};

}  // namespace omnix::bench
