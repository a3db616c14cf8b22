// What the engine does not know of the orchestrator's state.
#pragma once

#include <omnix/v1/operator.pb.h>

#include <functional>
#include <utility>

#include "orchestrator/engine/ports.h"

namespace omnix {

// Adds to the engine's answer how the parts beside it fare. Thread-safe; must not block. Null: there is nothing to add.
using StatusSupplement = std::function<void(v1::GetStatusResponse*)>;

// The whole status, for `done`.
inline void GetWholeStatus(OperatorPort* port, const StatusSupplement& supplement,
                           Callback<v1::GetStatusResponse> done) {
  port->GetStatus({}, [supplement, done = std::move(done)](absl::StatusOr<v1::GetStatusResponse> status) {
    if (status.ok() && supplement) supplement(&*status);
    done(std::move(status));
  });
}

}  // namespace omnix
