// One round of the engine: what must become durable, and what may leave only after that.
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "orchestrator/engine/ports.h"
#include "orchestrator/journal/journal.h"

namespace omnix {

struct Transaction {
  Batch batch;
  // Sent once the batch is durable; dropped where it is not.
  std::vector<std::pair<std::shared_ptr<AgentSession>, std::vector<v1::OrchestratorItem>>> sends;
  // Called with OK once the batch is durable, else with the journal's error.
  std::vector<std::function<void(const absl::Status&)>> replies;
  // Shown to watchers once the batch is durable; the batch's events are shown as well.
  std::vector<v1::WatchIncidentResponse> progress;
  // Watches that begin after this transaction.
  std::vector<std::pair<v1::WatchIncidentRequest, std::shared_ptr<WatchSink>>> watches;

  bool empty() const {
    return batch.empty() && sends.empty() && replies.empty() && progress.empty() && watches.empty();
  }
};

}  // namespace omnix
