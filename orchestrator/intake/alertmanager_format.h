// The fast path for Alertmanager's webhook: storms come from there. It reads bodies exactly as Alertmanager writes them
// and gives what formats/alertmanager.jq gives, for all others it steps aside.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "orchestrator/intake/alert_draft.h"

namespace omnix {

struct AlertmanagerBody {
  std::vector<AlertDraft> drafts;
  uint64_t truncated = 0;
};

// Reads the text of a body. nullopt: not exactly a body of Alertmanager (a field of another type, nothing that
// identifies an alert, a key that stands twice, no JSON...): ParseBody and the filter decide. `named`: its sender says
// whose it is; else it must have the shape that the filter's `recognize` asks for, too.
std::optional<AlertmanagerBody> ReadPlainAlertmanager(std::string_view text, bool named);

}  // namespace omnix
