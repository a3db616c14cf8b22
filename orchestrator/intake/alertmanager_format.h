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

// True: the filter's `recognize` says so, too, of a body that ReadPlainAlertmanager reads. False: the filter decides.
bool LooksLikeAlertmanager(const Json& body);

// nullopt: not exactly a body of Alertmanager (a field of another type, nothing that identifies an alert...): the
// filter decides.
std::optional<AlertmanagerBody> ReadPlainAlertmanager(const Json& body);

}  // namespace omnix
