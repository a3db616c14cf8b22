// The HTTP API: every route of omnixd, in one table (routes.cc).
#pragma once

#include <vector>

#include "common/clock.h"
#include "orchestrator/api/metrics.h"
#include "orchestrator/api/router.h"
#include "orchestrator/api/status_supplement.h"
#include "orchestrator/engine/ports.h"
#include "orchestrator/engine/silence_desk.h"
#include "orchestrator/intake/alert_intake.h"
#include "orchestrator/intake/sns_confirmer.h"
#include "orchestrator/intake/source_heartbeats.h"

namespace omnix {

// A command's body: a reason and a hash, not a document.
inline constexpr size_t kMaxCommandBodyBytes = 64 << 10;

// What the handlers work with. Nothing is owned; all of it outlives the server.
struct ApiParts {
  OperatorPort* port = nullptr;
  AlertIntake* intake = nullptr;
  Metrics* metrics = nullptr;
  const Clock* clock = nullptr;
  // Null: no subscription of SNS is confirmed.
  SnsConfirmer* sns = nullptr;
  StatusSupplement supplement = nullptr;
  // Null: no source is declared.
  SourceHeartbeats* heartbeats = nullptr;
  // Null: alerts go to the port at once, and there are no routes of silences.
  SilenceDesk* silences = nullptr;
};

std::vector<Route> ApiRoutes(const ApiParts& parts);

}  // namespace omnix
