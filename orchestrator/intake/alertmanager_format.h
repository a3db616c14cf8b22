// The fast path for Alertmanager's webhook: storms come from there. It reads bodies exactly as Alertmanager writes them
// and gives what formats/alertmanager.jq gives, for all others it steps aside.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "orchestrator/intake/alert_draft.h"

namespace omnix {

struct AlertmanagerBody {
  std::vector<AlertDraft> drafts;
  uint64_t truncated = 0;
};

// nullopt: not exactly a body of Alertmanager (a field of another type, nothing that identifies an alert, Grafana's
// fields...): the filters decide.
std::optional<AlertmanagerBody> ReadPlainAlertmanager(const Json& body);

}  // namespace omnix
