#include "orchestrator/intake/alert_pollers.h"

namespace omnix {

void AlertPollers::Start(const v1::AlertPolls& polls, const AlertPollerParts& parts,
                         const std::vector<v1::Alert>& firing) {
  const std::lock_guard lock(mutex_);
  for (const v1::AlertPoll& poll : polls.polls()) {
    pollers_.push_back(std::make_unique<AlertPoller>(poll, parts, firing));
  }
}

void AlertPollers::Stop() {
  std::vector<std::unique_ptr<AlertPoller>> pollers;
  {
    const std::lock_guard lock(mutex_);
    pollers.swap(pollers_);
  }
  for (const auto& poller : pollers) poller->RequestStop();
}

void AlertPollers::AddTo(v1::GetStatusResponse* status) const {
  const std::lock_guard lock(mutex_);
  for (const auto& poller : pollers_) *status->add_polls() = poller->Status();
}

}  // namespace omnix
