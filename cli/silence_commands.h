// `omnix silence add|list|show|expire`.
#pragma once

#include <omnix/v1/silence.pb.h>

#include "cli/session.h"

namespace omnix {

void AddSilenceCommands(CLI::App& app, Session& session);

// Errors: as of any call to omnixd.
absl::StatusOr<v1::ListSilencesResponse> ListSilences(Session& session, const v1::ListSilencesRequest& request);

}  // namespace omnix
